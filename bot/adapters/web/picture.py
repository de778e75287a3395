"""The heat map as PNG, for Slack, which shows no SVG."""

from importlib.resources import as_file, files

from bot.adapters.web.heat_map import heat_map
from bot.procedures.assess_coverage import Picture

ZOOM = 2.0
"""Pixels a unit: sharp on a phone, and some tens of kilobytes."""


def png_of(picture: Picture) -> bytes:
    """With the font of our own, so that it looks alike everywhere. Takes tenths of a second: call it in a thread."""
    import resvg_py  # noqa: PLC0415 - heavy, and rarely needed

    with as_file(files("bot.adapters.pdf") / "DejaVuSans.ttf") as font:
        return bytes(
            resvg_py.svg_to_bytes(
                svg_string=heat_map(picture),
                font_files=[str(font)],
                skip_system_fonts=True,
                font_family="DejaVu Sans",
                zoom=ZOOM,
            )
        )
