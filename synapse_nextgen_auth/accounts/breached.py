"""Passwords that leaked elsewhere: how they are looked for in a list, or at a service of ranges.

The lists and the ranges are those of Have I Been Pwned, "Pwned Passwords": SHA-1 in hexadecimal, and
how often it was seen.
"""

import enum
import hashlib
import re
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable

import attrs

from synapse_nextgen_auth.records import frozen

PREFIX = 5  # hex digits: as much as a service learns of a password's hash
_LINE = re.compile(rb"([0-9A-Fa-f]{40})(?::[0-9]{1,18})?")
_NTLM = re.compile(rb"[0-9A-Fa-f]{32}(?::[0-9]{1,18})?")
# Longer than any line of hashes; whoever reads so much has the end of one.
_LONGEST_LINE = 128
_AT_ONCE = 4096
_BOM = b"\xef\xbb\xbf"  # what some editors write before everything else
_SAMPLES = 1000


class ListKind(enum.Enum):
    """What is in a list, by its first lines."""

    HASHES = "hashes"
    PASSWORDS = "passwords"
    NTLM = "ntlm"
    EMPTY = "empty"
    MIXED = "mixed"  # hashes, and something before them


def hashes_of(password: str) -> tuple[str, ...]:
    """Return the SHA-1 of a password as it was typed, and as it is kept, if that is another.

    In capital letters, as the lists have them.
    """
    spelled = dict.fromkeys((password, unicodedata.normalize("NFKC", password)))
    return tuple(_sha1(text.encode("utf-8", "surrogatepass")).hex().upper() for text in spelled)


def _sha1(text: bytes) -> bytes:
    return hashlib.sha1(text, usedforsecurity=False).digest()


def is_in_range(answer: str, hashed: str) -> bool:
    """Say whether a service's answer about the first digits of a hash has the rest of it.

    A line that pads the answer has the count 0.
    """
    rest = hashed[PREFIX:]
    for line in answer.splitlines():
        suffix, _, count = line.strip().partition(":")
        if suffix.upper() == rest:
            return count.strip() != "0"
    return False


@frozen
class ListFile:
    """A file, by what reads so many bytes from a place in it; nothing else is asked of it."""

    read: Callable[[int, int], bytes]
    size: int

    def kind(self) -> ListKind:
        """Say what is in it."""
        lines = [line.strip() for line in self.read(0, _AT_ONCE).removeprefix(_BOM).split(b"\n")]
        lines = [line for line in lines if line]
        if not lines:
            return ListKind.EMPTY
        if _LINE.fullmatch(lines[0]):
            return ListKind.HASHES
        if any(map(_LINE.fullmatch, lines[1:])):
            return ListKind.MIXED
        return ListKind.NTLM if _NTLM.fullmatch(lines[0]) else ListKind.PASSWORDS

    def is_sorted(self) -> bool:
        """Say whether its hashes are in order, as far as samples all over it can tell."""
        before = b""
        for number in range(_SAMPLES):
            found = self._line(self.size * number // _SAMPLES)
            if found is None:
                break
            if found[1] < before:
                return False
            before = found[1]
        return True

    def has(self, hashed: str) -> bool:
        """Say whether a list of hashes has this one, by halves: thirty looks for any size."""
        wanted = hashed.encode("ascii")
        low, high = 0, self.size  # where lines begin that may be it
        while high - low > _AT_ONCE:
            middle = (low + high) // 2
            found = self._line(middle)
            if found is None or found[0] >= high or found[1] > wanted:
                high = middle
            elif found[1] == wanted:
                return True
            else:
                low = found[0]
        rest = self.read(low, high - low + _LONGEST_LINE)
        return any(_key(line) == wanted for line in rest.split(b"\n"))

    def _line(self, place: int) -> tuple[int, bytes] | None:
        """Return the first line that begins here or later: where, and its hash."""
        start = max(place - 1, 0)
        piece = self.read(start, 2 * _LONGEST_LINE)
        if place:
            skipped = piece.find(b"\n") + 1
            if not skipped:
                return None
            start, piece = start + skipped, piece[skipped:]
        for line in piece.split(b"\n"):
            if key := _key(line):
                return start, key
            start += len(line) + 1  # an empty one, for instance
        return None


def _key(line: bytes) -> bytes:
    found = _LINE.fullmatch(line.removeprefix(_BOM).strip())
    return found[1].upper() if found else b""


@frozen
class PlainList:
    """A list of passwords in memory: eight bytes for each."""

    _digests: "array[int]" = attrs.field(repr=False)

    @classmethod
    def of(cls, lines: Iterable[bytes]) -> "PlainList":
        """Read passwords, one a line."""
        bare = (line.removeprefix(_BOM).rstrip(b"\r\n") for line in lines)
        digests = (_short(_sha1(line)) for line in bare if line)
        return cls(array("Q", sorted(digests)))

    def has(self, hashed: str) -> bool:
        """Say whether the password with this hash is among them."""
        wanted = _short(bytes.fromhex(hashed))
        place = bisect_left(self._digests, wanted)
        return place < len(self._digests) and self._digests[place] == wanted


def _short(digest: bytes) -> int:
    return int.from_bytes(digest[:8], "big")
