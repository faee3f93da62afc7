"""How much an SVG file draws with all that it draws again: `<use>` in `<use>` may be a million of them.

A file of a few kilobytes can keep every reader's browser busy for minutes so.
"""

import re

_MOST = 5000  # elements, each as often as it is drawn
_HREF = ("href", "http://www.w3.org/1999/xlink href")
_URL = re.compile(r"""url\(\s*["']?#([^"')]+)["']?\s*\)""", re.IGNORECASE)


class Repeats:
    """Takes note of elements as they begin and end, and of the parts of the file that they name."""

    def __init__(self) -> None:
        self._within: list[list[int]] = []  # of each element those directly in it
        self._names: list[list[str]] = []
        self._by_id: dict[str, int] = {}
        self._open: list[int] = []

    def begin(self, attributes: dict[str, str]) -> None:
        """Note an element."""
        this = len(self._within)
        self._within.append([])
        named = [each for value in attributes.values() for each in _URL.findall(value)]
        named += [
            attributes[key].strip()[1:]
            for key in _HREF
            if attributes.get(key, "").strip()[:1] == "#"
        ]
        self._names.append(named)
        if "id" in attributes:
            self._by_id.setdefault(attributes["id"], this)
        if self._open:
            self._within[self._open[-1]].append(this)
        self._open.append(this)

    def end(self) -> None:
        """Note that the last one is over."""
        self._open.pop()

    def are_too_many(self) -> bool:
        """Say whether more is drawn than anybody wants to wait for, or something within itself."""
        counted: dict[int, int | None] = {}

        def drawn(element: int) -> int:
            if element in counted:
                known = counted[element]
                return _MOST + 1 if known is None else known  # it is being counted: in itself
            counted[element] = None
            named = (self._by_id[each] for each in self._names[element] if each in self._by_id)
            total = 1 + sum(map(drawn, (*self._within[element], *named)))
            counted[element] = min(total, _MOST + 1)
            return min(total, _MOST + 1)

        try:
            return bool(self._within) and drawn(0) > _MOST
        except RecursionError:
            return True
