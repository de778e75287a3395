"""A network of a few pages, which remembers what was asked of it."""

from collections.abc import Mapping

from bot.ports import Answer


class Pages:
    """Fills the port `Network`. A page is a body, a whole answer, or the error to raise."""

    def __init__(self, pages: Mapping[str, bytes | Answer | Exception]) -> None:
        self.pages = dict(pages)
        self.asked: list[str] = []

    async def get(self, url: str, *, most_bytes: int, seconds: float) -> Answer:
        assert most_bytes == 16 * 1024
        assert seconds == 5
        self.asked.append(url)
        page = self.pages.get(url, Answer(status=404, body=b""))
        if isinstance(page, Exception):
            raise page
        return page if isinstance(page, Answer) else Answer(status=200, body=page)
