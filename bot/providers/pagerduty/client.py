"""The client of PagerDuty's REST API, with bounded patience: the library alone asks for ever after a 429."""

import ssl

from pagerduty import RestApiV2Client

from bot.providers.pagerduty.settings import PagerDutySettings

API = "https://api.pagerduty.com"
SECONDS = 10
RETRIES = {429: 5, 500: 3, 502: 3, 503: 3, 504: 3}


def open_client(settings: PagerDutySettings) -> RestApiV2Client:
    """To be closed by the caller. OpenSSL honours SSL_CERT_FILE, the HTTP library HTTPS_PROXY."""
    client = RestApiV2Client(
        settings.key, base_url=settings.api_url or API, verify=ssl.create_default_context()
    )
    client.headers["Content-Type"] = "application/json"  # the specification wants it even without a body
    client.retry = dict(RETRIES)
    client.timeout = SECONDS
    return client
