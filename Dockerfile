# Not built by the tests, which have no container engine.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 \
    SOCMON_DATA_DIR=/data

RUN useradd --system --uid 10001 --no-create-home socmon \
    && install --directory --owner=socmon --mode=0700 /data

WORKDIR /app
COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e .

USER socmon
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["socmon"]
CMD ["serve", "--host", "0.0.0.0"]
