"""The kinds of options: how a value is read, what is said of a wrong one, and how it is shown.

Nothing is converted: a kind takes what it says it takes, and the message says how that is written.
"""

import enum
import math
from decimal import Decimal
from typing import Generic, Protocol, TypeVar

import attrs

from synapse_nextgen_auth.config.durations import duration, said, seconds_of
from synapse_nextgen_auth.config.problems import Problems, kind_of, shown
from synapse_nextgen_auth.config.secret_files import content
from synapse_nextgen_auth.oauth import hosts, uris
from synapse_nextgen_auth.oauth.clients.configured import StaticClient, read_static
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.secret import Secret

T = TypeVar("T")

MIN_SECRET_BYTES = 32
LONGEST = "100y"
LARGEST = 2**31 - 1


class Kind(Protocol[T]):
    """What an option takes."""

    @property
    def takes(self) -> str:
        """What the reference says that it takes."""

    def read(self, raw: object, path: str, problems: Problems) -> T | None:
        """Return the value; note what is wrong with it and return `None`."""

    def show(self, value: T, written: object) -> str:
        """Return the value in force for `check-config`; `written` is what stands in the file."""

    def write(self, value: T) -> str:
        """Return the value as it would stand in the file."""


@attrs.frozen
class Optional(Generic[T]):
    """An option that may be unset: then something else decides, or nothing does."""

    kind: Kind[T]
    unset: str = "not set"

    @property
    def takes(self) -> str:
        """The same: nothing is written where it is unset."""
        return self.kind.takes

    def read(self, raw: object, path: str, problems: Problems) -> T | None:
        """Return the value; an option without one is one that is not there."""
        return self.kind.read(raw, path, problems)

    def show(self, value: T | None, written: object) -> str:
        """Return the value, or what holds without one."""
        return self.unset if value is None else self.kind.show(value, written)

    def write(self, value: T | None) -> str:
        """Return the value, or nothing."""
        return "" if value is None else self.kind.write(value)


@attrs.frozen
class Duration:
    """A whole number with its unit; seconds once read.

    A bare number would be milliseconds elsewhere in homeserver.yaml and seconds elsewhere in OAuth,
    so it is refused instead of guessed.
    """

    longest: str = LONGEST
    may_be_zero: bool = False

    @property
    def takes(self) -> str:
        """A duration, and how long it may be."""
        return "a duration" if self.longest == LONGEST else f"a duration, at most `{self.longest}`"

    def read(self, raw: object, path: str, problems: Problems) -> int | None:
        """Return a duration in seconds."""
        seconds = seconds_of(raw)
        if seconds is None:
            hint = "with its unit, like 300s, 5m, 24h or 90d"
            problems.say(path, f"expected a duration {hint}, got {shown(raw)}")
        elif seconds > (seconds_of(self.longest) or 0) or not (seconds or self.may_be_zero):
            limit = f"at most {self.longest}" if seconds else "more than 0s"
            problems.say(path, f"expected {limit}, got {raw}")
        else:
            return seconds
        return None

    def show(self, value: int, written: object) -> str:
        """Return it as the operator wrote it."""
        return said(value, written)

    def write(self, value: int) -> str:
        """Return it in the largest unit that fits."""
        return duration(value)


@attrs.frozen
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


@attrs.frozen
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


@attrs.frozen
class Switch:
    """A switch; `on` and `off` are the words for it where it is shown."""

    on: str = "true"
    off: str = "false"

    @property
    def takes(self) -> str:
        """The two words of YAML."""
        return "`true` or `false`"

    def read(self, raw: object, path: str, problems: Problems) -> bool | None:
        """Return the switch; "yes" and 1 are none."""
        if isinstance(raw, bool):
            return raw
        problems.say(path, f"expected true or false, got {shown(raw)}")
        return None

    def show(self, value: bool, written: object) -> str:  # noqa: ARG002, FBT001 - like every kind
        """Return what it means."""
        return self.on if value else self.off

    def write(self, value: bool) -> str:  # noqa: FBT001 - like every kind
        """Return it as YAML has it."""
        return str(value).lower()


E = TypeVar("E", bound=enum.Enum)


@attrs.frozen
class Choice(Generic[E]):
    """One of a few words: the values of an enum."""

    of: type[E]

    @property
    def takes(self) -> str:
        """The words."""
        *others, last = (f"`{each.value}`" for each in self.of)
        return f"{', '.join(others)} or {last}"

    def read(self, raw: object, path: str, problems: Problems) -> E | None:
        """Return what the word stands for; YAML's bare `on` and `off` are none."""
        for each in self.of:
            if each.value == raw:
                return each
        *others, last = (str(each.value) for each in self.of)
        problems.say(path, f"expected {', '.join(others)} or {last}, got {shown(raw)}")
        return None

    def show(self, value: E, written: object) -> str:  # noqa: ARG002 - like every kind
        """Return the word, as one reads it."""
        return str(value.value).replace("_", " ")

    def write(self, value: E) -> str:
        """Return the word."""
        return str(value.value)


@attrs.frozen
class Text:
    """A text that is more than white space."""

    @property
    def takes(self) -> str:
        """A text."""
        return "a text"

    def read(self, raw: object, path: str, problems: Problems) -> str | None:
        """Return the text as it is."""
        if isinstance(raw, str) and raw.strip():
            return raw
        problems.say(path, f"expected a text, got {kind_of(raw)}")
        return None

    def show(self, value: str, written: object) -> str:  # noqa: ARG002 - like every kind
        """Return the text."""
        return value

    def write(self, value: str) -> str:
        """Return the text."""
        return value


@attrs.frozen
class SecretText:
    """A secret that is long enough; what is given instead may be one, so it is never repeated."""

    @property
    def takes(self) -> str:
        """A long text."""
        return f"a text of {MIN_SECRET_BYTES} bytes or more, in quotes"

    def read(self, raw: object, path: str, problems: Problems) -> Secret | None:
        """Return the secret, which prints as stars."""
        if not isinstance(raw, str):
            problems.say(path, f"expected a text in quotes, got {kind_of(raw)}")
        elif len(raw.encode("utf-8", "surrogatepass")) < MIN_SECRET_BYTES:
            text = f"is shorter than {MIN_SECRET_BYTES} bytes; use a long random string"
            problems.say(path, text)
        else:
            return Secret(raw)
        return None

    def show(self, value: Secret, written: object) -> str:  # noqa: ARG002 - like every kind
        """Return that there is one."""
        return "set"

    def write(self, value: Secret) -> str:
        """Return stars."""
        return repr(value)


@attrs.frozen
class Host:
    """A host, a domain or a network that an operator vouches for."""

    @property
    def takes(self) -> str:
        """Which of them."""
        return "a host, domain or network"

    def read(self, raw: object, path: str, problems: Problems) -> str | None:
        """Return it as it is written."""
        text = Text().read(raw, path, problems)
        reason = hosts.refuse_entry(text) if text is not None else None
        if reason:
            problems.say(path, f"{shown(text)} {reason}")
            return None
        return text

    def show(self, value: str, written: object) -> str:  # noqa: ARG002 - like every kind
        """Return it as it is written."""
        return value

    def write(self, value: str) -> str:
        """Return it as it is written."""
        return value


@attrs.frozen
class Url:
    """The address of a service that this server talks to, with TLS unless it is on this machine."""

    @property
    def takes(self) -> str:
        """An address."""
        return "an `https` address, or an `http` one of this machine"

    def read(self, raw: object, path: str, problems: Problems) -> str | None:
        """Return the address as it is written."""
        text = Text().read(raw, path, problems)
        reason = uris.refuse_service(text) if text is not None else None
        if reason:
            problems.say(path, f"{shown(text)} {reason}")
            return None
        return text

    def show(self, value: str, written: object) -> str:  # noqa: ARG002 - like every kind
        """Return the address."""
        return value

    def write(self, value: str) -> str:
        """Return the address."""
        return value


@attrs.frozen
class ClientEntry:
    """A client that need not register."""

    @property
    def takes(self) -> str:
        """The fields of one."""
        return "a client"

    def read(self, raw: object, path: str, problems: Problems) -> StaticClient | None:
        """Return the client; all that is wrong with it is one message."""
        try:
            return read_static(raw, read_file=content)
        except OAuthError as error:
            problems.say(path, error.detail or error.description)
            return None

    def show(self, value: StaticClient, written: object) -> str:  # noqa: ARG002 - like every kind
        """Return its id."""
        return value.client.client_id

    def write(self, value: StaticClient) -> str:
        """Return its id."""
        return value.client.client_id


@attrs.frozen
class ListOf(Generic[T]):
    """A list; `plural` names its items. Those that are wrong are left out and told one by one."""

    item: Kind[T]
    plural: str
    # Of secrets there is nothing to show but how many there are.
    is_counted: bool = False

    @property
    def takes(self) -> str:
        """What the items are."""
        return f"a list of {self.plural}"

    def read(self, raw: object, path: str, problems: Problems) -> tuple[T, ...] | None:
        """Return the items that are right."""
        if not isinstance(raw, (list, tuple)):
            problems.say(path, f"expected a list, got {kind_of(raw)}")
            return None
        items = [self.item.read(item, f"{path}[{n}]", problems) for n, item in enumerate(raw)]
        return tuple(item for item in items if item is not None)

    def show(self, value: tuple[T, ...], written: object) -> str:
        """Return the items in order, or how many there are."""
        if self.is_counted:
            return str(len(value))
        return ", ".join(sorted(self.item.show(item, written) for item in value)) or "none"

    def write(self, value: tuple[T, ...]) -> str:
        """Return the items, or that there are none."""
        return ", ".join(self.item.write(item) for item in value) or "none"


@attrs.frozen
class SetOf(Generic[T]):
    """A list in which order and repetition mean nothing."""

    item: Kind[T]
    plural: str

    @property
    def takes(self) -> str:
        """What the items are."""
        return ListOf(self.item, self.plural).takes

    def read(self, raw: object, path: str, problems: Problems) -> frozenset[T] | None:
        """Return the items that are right."""
        items = ListOf(self.item, self.plural).read(raw, path, problems)
        return None if items is None else frozenset(items)

    def show(self, value: frozenset[T], written: object) -> str:
        """Return the items in order."""
        return ListOf(self.item, self.plural).show(tuple(value), written)

    def write(self, value: frozenset[T]) -> str:
        """Return the items, or that there are none."""
        return ListOf(self.item, self.plural).write(tuple(value))


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
