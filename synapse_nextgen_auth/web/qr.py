"""Pictures that cameras read (QR codes, ISO/IEC 18004), drawn in the page: no request, no style."""

from itertools import groupby

from synapse_nextgen_auth.records import frozen

# Light modules around it within the picture; the white tile that it stands on does the rest.
_EDGE = 2


@frozen
class Picture:
    """A picture of so many modules a side, its edge included; `path` draws the dark ones (SVG)."""

    size: int
    path: str


def draw(text: str) -> Picture:
    """Return the picture of a text."""
    import segno  # noqa: PLC0415 (no start waits for it)

    modules = segno.make(text, error="m", micro=False).matrix
    rows = (_row(row, at + _EDGE) for at, row in enumerate(modules))
    return Picture(len(modules) + 2 * _EDGE, "".join(rows))


def _row(row: bytearray, y: int) -> str:
    drawn, x = "", _EDGE
    for is_dark, run in groupby(row):
        length = sum(1 for _ in run)
        drawn += f"M{x} {y}h{length}v1h-{length}z" if is_dark else ""
        x += length
    return drawn
