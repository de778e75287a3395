"""The body of a request, as it arrives: never more of it in memory than is taken."""

import asyncio
from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request

from bot.domain.errors import Refused, TryAgain


async def read_body(
    request: Request,
    *,
    most: int,
    too_large: str,
    seconds: float,
    grow: Callable[[int], None] = lambda _size: None,
) -> bytes:
    """The raw bytes, `most` of them; `grow` is told of each part how many there are now, and may raise.

    Raises Refused for compressed and too large ones (413, with the words of `too_large`), before they fill the memory,
    and TryAgain when it takes longer than `seconds`.
    """
    if request.headers.get("content-encoding", "identity").lower() not in {"", "identity"}:
        raise Refused(
            "compressed", "Compressed bodies are refused. Send it without Content-Encoding.", status=415
        )
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and (len(length) > 9 or int(length) > most):
        raise Refused("too large", too_large, status=413)
    parts, size = [], 0
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise Refused("too large", too_large, status=413)
                grow(size)
                parts.append(part)
    except TimeoutError as error:
        raise TryAgain(f"The body did not arrive within {seconds} s. Send it again.") from error
    except ClientDisconnect as error:
        raise Refused(
            "cut off", "The connection ended before the body did. Send it again.", status=400
        ) from error
    return b"".join(parts)
