"""What a picture is by its first bytes, without unfolding it (C303)."""

import struct
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from synapse_nextgen_auth.accounts.pictures import LONGEST_SIDE, Picture, sniff


def png(width, height):
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\r"
        + header
        + struct.pack(">I", zlib.crc32(header))
        + b"IDAT"
    )


def jpeg(width, height, before=b""):
    frame = b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", height, width) + b"\x03" + b"\0" * 9
    return b"\xff\xd8" + before + frame


EXIF = b"\xff\xe1" + struct.pack(">H", 2002) + b"\xff\xc0" * 1000
TABLES = b"\xff\xc4\x00\x05\x01\x02\x03"
GIF = b"GIF89a" + struct.pack("<HH", 40, 30) + b"\0" * 5
LOSSY = b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 40, 0x4000 | 30)
LOSSLESS = b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + struct.pack("<I", 39 | 29 << 14)
EXTENDED = b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\x27\0\0\x1d\0\0"


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        pytest.param(png(40, 30), "image/png", id="png"),
        pytest.param(jpeg(40, 30, b"\xff\xe0\x00\x04JF"), "image/jpeg", id="jpeg"),
        pytest.param(jpeg(40, 30, EXIF + b"\xff\xff" + TABLES[1:]), "image/jpeg", id="exif"),
        pytest.param(GIF, "image/gif", id="gif"),
        pytest.param(LOSSY, "image/webp", id="webp"),
        pytest.param(LOSSLESS, "image/webp", id="webp-lossless"),
        pytest.param(EXTENDED, "image/webp", id="webp-extended"),
    ],
)
def test_a_picture_says_what_it_is_and_how_large(content, media_type):
    assert sniff(content) == Picture(media_type, 40, 30)
    assert sniff(content).is_sound


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", id="svg"),
        pytest.param(b"<!doctype html><script>alert(1)</script>", id="html"),
        pytest.param(b"%PDF-1.4", id="pdf"),
        pytest.param(b"BM" + b"\0" * 60, id="bmp"),
        pytest.param(
            b"\x89PNG\r\n\x1a\n\x00\x00\x00\rtEXt" + b"\0" * 20, id="png without a header"
        ),
        pytest.param(png(40, 30)[:20], id="png cut off"),
        pytest.param(b"\xff\xd8\xff\xda\x00\x08", id="jpeg without a frame"),
        pytest.param(b"\xff\xd8\xff\xe0\x00\x00" * 9, id="jpeg that goes nowhere"),
        pytest.param(jpeg(40, 30)[:6], id="jpeg cut off"),
        pytest.param(b"RIFF\0\0\0\0WAVEfmt ", id="sound"),
        pytest.param(EXTENDED[:-1], id="webp cut off"),
    ],
)
def test_c303_what_is_no_picture(content):
    """Whatever the browser calls it, a document with scripts is none."""
    assert sniff(content) is None


@pytest.mark.parametrize(
    ("width", "height"),
    [(0, 5), (5, 0), (LONGEST_SIDE + 1, 1), (1, LONGEST_SIDE + 1), (9000, 9000), (2**31, 2**31)],
)
def test_c303_a_picture_that_unfolds_to_gigabytes_is_not_sound(width, height):
    assert not sniff(png(width, height)).is_sound


@given(st.binary(max_size=200), st.sampled_from((png(1, 1), jpeg(1, 1), GIF, LOSSY, EXTENDED)))
@example(b"", b"\xff\xd8\xff")
def test_no_bytes_break_it(noise, picture):
    for content in (noise, picture[:8] + noise, picture + noise):
        found = sniff(content)

        assert found is None or found.width >= 0
