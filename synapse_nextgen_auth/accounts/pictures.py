"""What a picture is, by its first bytes: its type, and how large it is when it is drawn.

Nothing is decoded: a small file may unfold to gigabytes. What is none of these, or says nothing of its
size, is no picture here, whatever the browser calls it. A document with scripts (SVG) is none.
"""

import struct

from synapse_nextgen_auth.records import frozen

# In pixels: phones make pictures of 12 000 on the longer side at most, and servers scale them down.
LONGEST_SIDE = 12_000
MOST_PIXELS = 64_000_000


@frozen
class Picture:
    """A picture by what its own bytes say."""

    media_type: str
    width: int
    height: int

    @property
    def is_sound(self) -> bool:
        """Whether it can be drawn without harm (a "decompression bomb" is small as a file)."""
        return (
            0 < self.width <= LONGEST_SIDE
            and 0 < self.height <= LONGEST_SIDE
            and self.width * self.height <= MOST_PIXELS
        )


def sniff(content: bytes) -> Picture | None:
    """Return what a file is, `None` where it is no picture."""
    try:
        return _png(content) or _gif(content) or _webp(content) or _jpeg(content)
    except (struct.error, IndexError):
        return None


def _png(content: bytes) -> Picture | None:
    """Read the header, which comes first (PNG specification, section 11.2.1)."""
    if not content.startswith(b"\x89PNG\r\n\x1a\n") or content[12:16] != b"IHDR":
        return None
    return Picture("image/png", *struct.unpack(">II", content[16:24]))


def _gif(content: bytes) -> Picture | None:
    """Read the logical screen (GIF89a, section 18)."""
    if not content.startswith((b"GIF87a", b"GIF89a")):
        return None
    return Picture("image/gif", *struct.unpack("<HH", content[6:10]))


def _webp(content: bytes) -> Picture | None:
    """Read the first chunk: lossy, lossless or extended (RFC 9649 section 2)."""
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return None
    chunk = content[12:16]
    if chunk == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", content[26:30])
        return Picture("image/webp", width & 0x3FFF, height & 0x3FFF)
    if chunk == b"VP8L" and content[20] == 0x2F:
        (bits,) = struct.unpack("<I", content[21:25])
        return Picture("image/webp", (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1)
    if chunk == b"VP8X":
        width = int.from_bytes(content[24:27], "little") + 1
        height = int.from_bytes(content[27:30], "little") + 1
        return Picture("image/webp", width, height) if len(content) >= 30 else None
    return None


# The segments that say how large it is: every start of a frame but those numbers that mean others.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MOST_SEGMENTS = 1000


def _jpeg(content: bytes) -> Picture | None:
    """Go from segment to segment to the start of the frame (ITU-T T.81, annex B)."""
    if not content.startswith(b"\xff\xd8\xff"):
        return None
    at = 2
    for _ in range(_MOST_SEGMENTS):
        while content[at] == 0xFF and content[at + 1] == 0xFF:
            at += 1  # fill bytes
        if content[at] != 0xFF:
            return None
        kind = content[at + 1]
        if kind in _FRAMES:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return Picture("image/jpeg", width, height)
        if kind in {0xD8, 0xD9, 0xDA}:
            return None  # the data begins, or ends, and nothing was said of its size
        (length,) = struct.unpack(">H", content[at + 2 : at + 4])
        if length < 2:
            return None
        at += 2 + length
    return None
