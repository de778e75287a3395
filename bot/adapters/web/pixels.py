"""What a picture file shows, without believing it: its form, its sides, and whether anything is drawn."""

from io import BytesIO
from typing import Any

from PIL import Image, UnidentifiedImageError

from bot.domain.dashboard import MOST_SIDE, Pixels, Trouble, Uncaptured, check_pixels, check_size

FORMS = ("PNG", "JPEG")


def look(content: bytes) -> Pixels:
    """Raises Uncaptured for what is no whole picture, too large, or blank."""
    check_size(len(content))
    try:
        with Image.open(BytesIO(content), formats=FORMS) as picture:
            width, height = picture.size
            if max(width, height) > MOST_SIDE:  # before it is unpacked
                check_pixels(Pixels(width=width, height=height, commonest=0))
            seen = Pixels(width=width, height=height, commonest=_commonest(picture))
    except UnidentifiedImageError as error:
        raise Uncaptured(
            Trouble.NO_PICTURE,
            "What came is no PNG or JPEG picture.",
            "Open the dashboard in the tool, and see what it shows.",
        ) from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise Uncaptured(
            Trouble.HALF_LOADED,
            f"The picture is cut short or damaged ({type(error).__name__}).",
            "It is taken again next time; `/socmon dashboards capture` takes it now.",
        ) from error
    check_pixels(seen)
    return seen


def _commonest(picture: Any) -> int:
    """How many of a thousand pixels have the commonest colour, told in 32 shades of each of red, green and blue."""
    flat = picture.convert("RGB").point([shade & 0xF8 for shade in range(256)] * 3)
    counts = flat.getcolors(maxcolors=1 << 15) or []
    return int(1000 * max(count for count, _ in counts) // (flat.width * flat.height))
