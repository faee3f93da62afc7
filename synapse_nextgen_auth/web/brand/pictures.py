"""Pictures of an operator's: an SVG or PNG file, by what is in it, and how large it is shown."""

import re
import struct
import zlib
from pathlib import Path

from synapse_nextgen_auth.records import frozen

# The sign-in page is to be 40 kB at most, with all that it loads.
MOST_BYTES = 24 * 1024
MOST_PIXELS, LEAST_PIXELS = 2048, 16
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_OTHERS = (
    (re.compile(rb"\xff\xd8\xff"), "JPEG"),
    (re.compile(rb"GIF8"), "GIF"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "WebP"),
)
PNG, SVG = "image/png", "image/svg+xml"
# What browsers and editors write before the first tag.
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class PictureRefused(Exception):
    """A file is no picture that pages may show; `reasons` say why, all of them."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


@frozen
class Picture:
    """A picture: its bytes, its type, and its size in pixels, or in whatever an SVG counts in.

    One that `has_letters` looks as the fonts of each device make it look.
    """

    content: bytes
    content_type: str
    width: float
    height: float
    has_letters: bool = False

    @property
    def suffix(self) -> str:
        """What its name ends in."""
        return "png" if self.content_type == PNG else "svg"

    def shown_in(self, width: int, height: int) -> tuple[int, int]:
        """Return its size in a frame that it fills in one direction."""
        scale = min(width / self.width, height / self.height)
        return max(1, round(self.width * scale)), max(1, round(self.height * scale))


def read(path: str) -> Picture:
    """Read a file, and refuse what is no picture or does more than to be looked at."""
    try:
        named = Path(path)
        if named.exists() and not named.is_file():  # whoever opens a pipe waits for it
            raise PictureRefused(f"{path} is not a regular file")
        with named.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # a name with a NUL is no name of a file
        why = getattr(error, "strerror", None) or error
        if not Path(path).is_absolute():
            why = f"{why}. Write the whole path: this one begins where Synapse was started"
        raise PictureRefused(f"cannot read {path}: {why}") from None
    try:
        return of(content)
    except PictureRefused as refused:
        raise PictureRefused(*(f"{path} {why}" for why in refused.reasons)) from None


def of(content: bytes) -> Picture:
    """Return the picture that this is."""
    for beginning, kind in _OTHERS:
        if beginning.match(content):
            raise PictureRefused(
                f"is neither an SVG nor a PNG file: it is a {kind}, save it as PNG"
            )
    if len(content) > MOST_BYTES:
        raise PictureRefused(
            f"is larger than {MOST_BYTES // 1024} kB, and every page loads it: make it smaller"
        )
    if content.startswith(_SIGNATURE):
        width, height = _size_of_png(content)
        return Picture(content, PNG, width, height)
    if content.removeprefix(_BYTE_ORDER_MARK).lstrip().startswith(b"<"):
        from synapse_nextgen_auth.web.brand import svg  # noqa: PLC0415 (only such need a parser)

        try:
            drawn = svg.drawing(content)
        except svg.SvgRefused as refused:
            raise PictureRefused(*refused.reasons) from None
        return Picture(content, SVG, drawn.width, drawn.height, drawn.has_letters)
    raise PictureRefused("is neither an SVG nor a PNG file")


def _size_of_png(content: bytes) -> tuple[int, int]:
    """Return the size; every part is looked at, so that nothing else rides along (PNG, section 5)."""
    at, width, height = len(_SIGNATURE), 0, 0
    kinds: list[bytes] = []
    while at < len(content) and kinds[-1:] != [b"IEND"]:
        head = content[at : at + 8]
        if len(head) < 8:
            break
        length, kind = struct.unpack(">I4s", head)
        body, check = content[at + 4 : at + 8 + length], content[at + 8 + length : at + 12 + length]
        if len(check) != 4 or zlib.crc32(body) != struct.unpack(">I", check)[0]:
            raise PictureRefused("is a PNG file that is damaged")
        if kind == b"IHDR" and not kinds and length == 13:
            width, height = struct.unpack(">II", body[4:12])
        kinds.append(kind)
        at += 12 + length
    if not width or b"IDAT" not in kinds or kinds[-1] != b"IEND" or at != len(content):
        raise PictureRefused("is a PNG file that is damaged")
    if b"acTL" in kinds:
        raise PictureRefused("is a PNG file that moves, and nothing on our pages does")
    if not all(LEAST_PIXELS <= side <= MOST_PIXELS for side in (width, height)):
        raise PictureRefused(
            f"is {width} by {height} pixels, and between {LEAST_PIXELS} and {MOST_PIXELS} are taken"
        )
    return width, height
