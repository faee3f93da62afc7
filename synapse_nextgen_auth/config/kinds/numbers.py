"""Options that are numbers: durations, and how much or how many of something."""

import math
from decimal import Decimal

from synapse_nextgen_auth.config.durations import duration, said, seconds_of
from synapse_nextgen_auth.config.problems import Problems, shown
from synapse_nextgen_auth.records import frozen

LONGEST = "100y"
LARGEST = 2**31 - 1


@frozen
class Duration:
    """A whole number with its unit; seconds once read.

    A bare number would be milliseconds elsewhere in homeserver.yaml and seconds elsewhere in OAuth,
    so it is refused instead of guessed.
    """

    longest: str = LONGEST
    may_be_zero: bool = False
    shortest: str = ""

    @property
    def takes(self) -> str:
        """A duration, and how long it may be."""
        least = f", at least `{self.shortest}`" if self.shortest else ""
        most = f", at most `{self.longest}`" if self.longest != LONGEST else ""
        return f"a duration{least}{most}"

    def read(self, raw: object, path: str, problems: Problems) -> int | None:
        """Return a duration in seconds."""
        seconds = seconds_of(raw)
        if seconds is None:
            hint = "with its unit, like 300s, 5m, 24h or 90d"
            problems.say(path, f"expected a duration {hint}, got {shown(raw)}")
        elif seconds > (seconds_of(self.longest) or 0) or not (seconds or self.may_be_zero):
            limit = f"at most {self.longest}" if seconds else "more than 0s"
            problems.say(path, f"expected {limit}, got {raw}")
        elif 0 < seconds < (seconds_of(self.shortest) or 0):
            problems.say(path, f"expected at least {self.shortest}, got {raw}")
        else:
            return seconds
        return None

    def show(self, value: int, written: object) -> str:
        """Return it as the operator wrote it."""
        return said(value, written)

    def write(self, value: int) -> str:
        """Return it in the largest unit that fits."""
        return duration(value)


@frozen
class Number:
    """A finite number above 0; `unit` are the words behind it where it is shown."""

    unit: str = ""

    @property
    def takes(self) -> str:
        """A finite number above 0."""
        return "a finite number above 0"

    def read(self, raw: object, path: str, problems: Problems) -> float | None:
        """Return the number, unconverted."""
        if isinstance(raw, (int, float)) and not isinstance(raw, bool) and 0 < raw < math.inf:
            return raw
        problems.say(path, f"expected {self.takes}, got {shown(raw)}{_plainly(raw, whole=False)}")
        return None

    def show(self, value: float, written: object) -> str:  # noqa: ARG002 - like every kind
        """Return it with its unit."""
        return f"{value:g} {self.unit}".rstrip()

    def write(self, value: float) -> str:
        """Return it in digits."""
        return str(value)


@frozen
class WholeNumber:
    """A whole number above 0, or from `least`; `unit` are the words behind it where it is shown.

    `most` is what makes sense at all: beyond it, something would fail once it is used. `of` is what
    it counts, where people would write another unit.
    """

    unit: str = ""
    most: int = LARGEST
    of: str = ""
    least: int = 1

    @property
    def takes(self) -> str:
        """A whole number above 0, and how large it may be."""
        most = "" if self.most == LARGEST else f", at most `{self.most}`"
        return f"{self._wanted}{most}"

    @property
    def _wanted(self) -> str:
        bound = "above 0" if self.least == 1 else f"from {self.least}"
        return f"a whole number{f' of {self.of}' if self.of else ''} {bound}"

    def read(self, raw: object, path: str, problems: Problems) -> int | None:
        """Return the number, unconverted."""
        if not isinstance(raw, int) or isinstance(raw, bool) or raw < self.least:
            hint = _plainly(raw, whole=True)
            problems.say(path, f"expected {self._wanted}, got {shown(raw)}{hint}")
        elif raw > self.most:
            problems.say(path, f"expected at most {self.show(self.most, None)}, got {shown(raw)}")
        else:
            return raw
        return None

    def show(self, value: int, written: object) -> str:  # noqa: ARG002 - like every kind
        """Return it with its unit."""
        return f"{value} {self.unit}".rstrip()

    def write(self, value: int) -> str:
        """Return it in digits."""
        return str(value)


_LONGEST_NUMBER = 20  # characters
_LARGEST_NUMBER = 1e15


def _plainly(raw: object, *, whole: bool) -> str:
    """Say how to write what YAML took for a text (1e3, "5"), or a whole number with a point."""
    if not isinstance(raw, (str, float)) or len(str(raw)) > _LONGEST_NUMBER:
        return ""
    try:
        number = float(raw)
    except ValueError:
        return ""
    if not 0 < number < _LARGEST_NUMBER or (whole and not number.is_integer()):
        return ""
    plain = str(int(number)) if number.is_integer() else f"{Decimal(str(number)):f}"
    return f"; write {plain}"
