"""The way to the playground's Datadog: its REST API, under the playground's own address."""

import json
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.playground.datadog import API_KEY, APP_KEY, SNAPSHOTS, FakeDatadog
from bot.providers.contract import Sample

PATH = "/playground/datadog"


class DatadogLine:
    """Between a fake Datadog and the bot, which is served `route`."""

    def __init__(self, fake: FakeDatadog, *, own_url: str) -> None:
        self.fake = fake
        self._url = fake.address = f"{own_url.rstrip('/')}{PATH}"

    @property
    def environ(self) -> Mapping[str, str]:
        """What makes the bot ask this Datadog."""
        return {"DD_API_KEY": API_KEY, "DD_APP_KEY": APP_KEY, "SOCMON_DATADOG_URL": self._url}

    @property
    def route(self) -> Route:
        return Route(f"{PATH}{{path:path}}", self._answer, methods=["GET", "POST"])

    def before(self, sample: Sample) -> None:
        """A sample is about to be sent to the bot: the problem it tells of stands in Datadog first."""
        self.fake.adopt(json.loads(sample.body))

    async def _answer(self, request: Request) -> Response:
        body = json.loads(await request.body()) if request.method == "POST" else {}
        path = request.path_params["path"]
        if path.startswith(SNAPSHOTS):
            return Response(self.fake.picture(request.query_params), media_type="image/png")
        status, said = self.fake.answer(path, request.query_params, request.headers, body)
        return JSONResponse(said, status_code=status)
