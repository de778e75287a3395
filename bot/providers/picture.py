"""A picture that a tool has drawn is fetched, or why what came is none. Synchronous: ask it in a worker thread."""

import re
from collections.abc import Mapping
from http.client import HTTPException, IncompleteRead
from urllib.error import HTTPError
from urllib.request import Request

from bot.domain.dashboard import MOST_BYTES, Trouble, Uncaptured, check_size
from bot.providers.asking import SECONDS, opener

PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_LOGIN = re.compile(
    r"type=[\"']?password|\b(sign|log)[ -]?in\b|/(login|signin|sso|saml2?|oauth2?)\b", re.IGNORECASE
)


def picture(url: str, *, headers: Mapping[str, str], seconds: float = SECONDS) -> bytes:
    """The bytes of a picture (PNG or JPEG, as its first bytes say). Raises Uncaptured, which says what came instead.

    Redirects are followed, so that a login page is known as one.
    """
    if not url.lower().startswith(("http://", "https://")):
        raise Uncaptured(
            Trouble.NO_PICTURE,
            "The tool named no web address for the picture.",
            "It is taken again next time.",
        )
    request = Request(url, headers={"User-Agent": "socmon", **headers})  # noqa: S310 - checked above
    try:
        with opener(url).open(request, timeout=seconds) as answer:
            read: bytes = answer.read(MOST_BYTES + 1)
            promised, landed = answer.headers.get("Content-Length") or "", answer.url
    except HTTPError as error:
        error.close()
        raise _no_picture(error.code) from error
    except IncompleteRead as error:
        raise _cut_short(len(error.partial)) from error
    except TimeoutError as error:
        raise _timed_out(seconds) from error
    except (OSError, HTTPException, ValueError) as error:
        if isinstance(getattr(error, "reason", None), TimeoutError):
            raise _timed_out(seconds) from error
        raise Uncaptured(
            Trouble.SILENT,
            f"The picture's address did not answer ({type(error).__name__}).",
            "Check that socmon reaches it.",
        ) from error
    check_size(len(read))
    if promised.isdigit() and len(read) < int(promised):
        raise _cut_short(len(read))
    if not read.startswith(PICTURES):
        raise _something_else(read, landed)
    return read


def _timed_out(seconds: float) -> Uncaptured:
    return Uncaptured(
        Trouble.TIMED_OUT,
        f"The picture did not come within {seconds:g} s.",
        "See whether the dashboard is slow in the tool; a smaller one, or a shorter time range, may help.",
    )


def _looks_like_login(page: str) -> bool:
    """Whether a page asks for credentials: it has a password field, or says so in so many words."""
    return bool(_LOGIN.search(page))


def _no_picture(status: int) -> Uncaptured:
    if status in {401, 403}:
        return Uncaptured(
            Trouble.LOGIN,
            f"The tool wants to know who asks ({status}).",
            "Check socmon's credentials there, and what they may see.",
        )
    if status in {404, 410}:
        return Uncaptured(
            Trouble.MISSING,
            f"There is no such picture ({status}).",
            "See whether the dashboard was deleted or moved, and choose it anew.",
        )
    if status in {408, 504}:
        return Uncaptured(
            Trouble.TIMED_OUT,
            f"The tool took too long to draw it ({status}).",
            "A smaller dashboard, or a shorter time range, may help.",
        )
    return Uncaptured(
        Trouble.SILENT, f"The tool answered {status} in place of a picture.", "It is taken again next time."
    )


def _cut_short(size: int) -> Uncaptured:
    return Uncaptured(
        Trouble.HALF_LOADED,
        f"The picture is cut short after {size:,} bytes.",
        "It is taken again next time; `/socmon dashboards capture` takes it now.",
    )


def _something_else(read: bytes, landed: str) -> Uncaptured:
    page = read[:200_000].decode("utf-8", "replace")
    if "<" in page and (_looks_like_login(page) or _looks_like_login(landed)):
        return Uncaptured(
            Trouble.LOGIN,
            "A login page came in place of the picture.",
            "Check socmon's credentials there, and what they may see.",
        )
    return Uncaptured(
        Trouble.NO_PICTURE,
        "What came is no PNG or JPEG picture.",
        "Open the dashboard in the tool, and see what it shows.",
    )
