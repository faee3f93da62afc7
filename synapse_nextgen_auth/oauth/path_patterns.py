"""Patterns of paths: `*` is anything but a slash, `**` anything, and what is below belongs to it."""

import re

from synapse_nextgen_auth.records import frozen

_ANYTHING = re.compile(r"\*{2,}")


@frozen
class PathPattern:
    """What a path is compared with: the texts between stars, and in `parts` those between `**`.

    Each part is looked for where the one before it ended, and never again. So no path, however long,
    takes more than one way through it (C903): a regular expression would try them all.
    """

    parts: tuple[tuple[str, ...], ...]

    def is_of(self, path: str) -> bool:
        """Say whether the pattern is about a path."""
        # With a slash behind both, what is below the pattern is one more `**`.
        path, (first, *others) = f"{path}/", self.parts
        start, *texts = first
        end = _end_in_order(texts, path, len(start)) if path.startswith(start) else -1
        for part in others:
            if end < 0:
                return False
            end = _end_of(part, path, end)
        return end >= 0


def path_pattern(text: str) -> PathPattern:
    """Read a pattern."""
    plain = text.rstrip("/").removesuffix("/**")
    return PathPattern(tuple(tuple(part.split("*")) for part in _ANYTHING.split(f"{plain}/")))


def _end_of(part: tuple[str, ...], path: str, start: int) -> int:
    """Return where a part ends that begins at `start` or behind it, and -1 if none does.

    The first such end leaves most to the parts behind it.
    """
    first, *texts = part
    while (at := path.find(first, start)) >= 0:
        behind = at + len(first)
        end = _end_in_order(texts, path, behind)
        slash = path.find("/", behind)
        if end >= 0 or slash < 0:
            return end
        # Whatever begins before this slash has the same ones behind it, and less before the next.
        start = slash + 1 - len(first)
    return -1


def _end_in_order(texts: list[str], path: str, end: int) -> int:
    """Return where the last of these texts ends, with no slash before each; -1 if one lacks."""
    for text in texts:
        slash = path.find("/", end)
        found = path.find(text, end, slash + len(text)) if slash >= 0 else -1
        if found < 0:
            return -1
        end = found + len(text)
    return end
