"""Trouble that no operator has heard of is told, again and again until one way works."""

from typing import Any


async def tell_operators(parts: Any) -> str:
    told = await parts.operators.tell_untold()
    return f"{told} told"
