"""The log has grown: its root is signed, so that nothing before it can be changed unseen."""

from typing import Any

from bot.procedures.seal_log import seal_log


async def sign_checkpoint(parts: Any) -> str:
    size = await parts.records.write(seal_log, sign=parts.sign_checkpoint)
    return f"checkpoint at {size} entries" if size else "nothing new"
