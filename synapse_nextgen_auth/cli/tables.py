"""What a server says, as tables and lines for people."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

Row = Mapping[str, Any]
Columns = Sequence[tuple[str, Callable[[Row], object]]]


def moment(seconds: int | None) -> str:
    """Return a time as people read it."""
    if seconds is None:
        return "-"
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d %H:%M} UTC"


def shown(value: object) -> str:
    """Return a value as a terminal may get it: applications choose names and user agents."""
    if value is None or value == "":
        return "-"
    text = str(value)
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in text
    )


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells, the first their titles, each column as wide as it has to be."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def listed(columns: Columns, found: Sequence[Row]) -> str:
    """Return a table of what was found."""
    titles = [title for title, _ in columns]
    return table([titles, *([shown(value(row)) for _, value in columns] for row in found)])


def lines(columns: Columns, row: Row) -> str:
    """Return one thing, a line for each that is to be said of it."""
    cells = [(title, shown(value(row))) for title, value in columns]
    width = max(len(title) for title, _ in cells)
    return "\n".join(f"{title.ljust(width)}  {cell}" for title, cell in cells)
