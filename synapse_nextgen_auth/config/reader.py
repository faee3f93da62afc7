"""Raw values become typed ones; what is wrong with them is collected with its path."""

import difflib
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import attrs

from synapse_nextgen_auth.config.options import LONGEST, seconds_of
from synapse_nextgen_auth.oauth import hosts
from synapse_nextgen_auth.oauth.client_fields import invalid
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.static_clients import StaticClient, read_static
from synapse_nextgen_auth.secret import Secret

T = TypeVar("T")

MIN_SECRET_BYTES = 32


class ConfigProblems(Exception):
    """Everything that is wrong with the operator's options: (path, what is wrong) pairs."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("\n".join(f"{path}: {text}" for path, text in problems))
        self.problems = problems


@attrs.frozen
class Reader:
    """Turns raw values into typed ones and collects what is wrong with them."""

    problems: list[tuple[str, str]]
    # The path of every option there is: one that stands in the wrong place is told its own.
    paths: tuple[str, ...] = ()

    def say(self, path: str, text: str) -> None:
        """Note what is wrong at a path."""
        self.problems.append((path, text))

    def mapping(self, raw: object, path: str) -> Mapping[str, object]:
        """Return options by name; nothing where something else was given."""
        if isinstance(raw, Mapping):
            return raw
        self.say(path or "config", f"expected options by name, got {kind_of(raw)}")
        return {}

    def refuse_unknown(self, values: Mapping[str, object], kind: type, path: str) -> None:
        """Note every option that the record does not have."""
        known = [field.name for field in attrs.fields(kind)]
        for name in values:
            if name not in known:
                meant = self._meant(str(name).lower(), known)
                hint = f"did you mean {meant}?" if meant else f"known are {', '.join(known)}"
                self.say(join(path, name), f"unknown option; {hint}")

    def _meant(self, name: str, known: list[str]) -> str:
        """Return what an unknown name may stand for: one in another section by its whole path."""
        elsewhere = [path for path in self.paths if path.rpartition(".")[2] == name]
        if name not in known and elsewhere:
            return " or ".join(filter(None, (", ".join(elsewhere[:-1]), elsewhere[-1])))
        return likely(name, known)

    def section(self, values: Mapping[str, object], name: str, kind: type) -> Any:
        """Return the record of a section."""
        raw = values.get(name)
        options = self.mapping({} if raw is None else raw, name)
        self.refuse_unknown(options, kind, name)
        read = {
            field.name: self.option(options[field.name], field, join(name, field.name))
            for field in attrs.fields(kind)
            if options.get(field.name) is not None
        }
        return kind(**{key: value for key, value in read.items() if value is not None})

    def option(self, raw: object, field: "attrs.Attribute[Any]", path: str) -> object:
        """Return the value of an option, read by the type of its default."""
        if field.metadata["unit"] == "duration":
            return self.duration(
                raw,
                path,
                may_be_zero=field.metadata["may_be_zero"],
                longest=field.metadata["longest"] or LONGEST,
            )
        if isinstance(field.default, tuple):
            return self.listed({path: raw}, path, self.a_host)
        if isinstance(field.default, bool) or field.name.startswith("allow_"):
            return self.typed(raw, bool, "true or false", path)
        return self.number(raw, path, whole=field.type in {int, int | None})

    def number(self, raw: object, path: str, *, whole: bool) -> int | float | None:
        """Return a number above 0, unconverted; of what only looks like one, say how it is written."""
        kinds = int if whole else (int, float)
        if isinstance(raw, kinds) and not isinstance(raw, bool) and 0 < raw < math.inf:
            return raw
        expected = "a whole number above 0" if whole else "a finite number above 0"
        plain = _plainly(raw, whole=whole)
        hint = f"; write {plain}" if plain else ""
        self.say(path, f"expected {expected}, got {shown(raw)}{hint}")
        return None

    def duration(self, raw: object, path: str, *, may_be_zero: bool, longest: str) -> int | None:
        """Return a duration in seconds."""
        seconds = seconds_of(raw)
        if seconds is not None:
            if seconds <= (seconds_of(longest) or 0) and (seconds or may_be_zero):
                return seconds
            limit = f"at most {longest}" if seconds else "more than 0s"
            self.say(path, f"expected {limit}, got {raw}")
            return None
        # A bare number would be milliseconds elsewhere in homeserver.yaml and seconds elsewhere in
        # OAuth, so it is refused instead of guessed.
        hint = "with its unit, like 300s, 5m, 24h or 90d"
        self.say(path, f"expected a duration {hint}, got {shown(raw)}")
        return None

    def typed(self, raw: object, kind: Any, expected: str, path: str) -> Any:
        """Return a value of this type, unconverted."""
        if isinstance(raw, kind) and not (kind is not bool and isinstance(raw, bool)):
            return raw
        self.say(path, f"expected {expected}, got {shown(raw)}")
        return None

    def boolean(self, values: Mapping[str, object], name: str, default: bool) -> bool:  # noqa: FBT001 (its value)
        """Return a switch."""
        if values.get(name) is None:
            return default
        return bool(self.typed(values[name], bool, "true or false", name))

    def text(self, values: Mapping[str, object], name: str) -> str | None:
        """Return a text, if there is one."""
        raw = values.get(name)
        return None if raw is None else self.a_text(raw, name)

    def secret(self, values: Mapping[str, object], name: str) -> Secret | None:
        """Return a secret, if there is one."""
        raw = values.get(name)
        return None if raw is None else self.a_secret(raw, name)

    def a_text(self, raw: object, path: str) -> str | None:
        """Return a text that is more than white space."""
        if isinstance(raw, str) and raw.strip():
            return raw
        self.say(path, f"expected a text, got {kind_of(raw)}")
        return None

    def a_host(self, raw: object, path: str) -> str | None:
        """Return a host, a domain or a network."""
        text = self.a_text(raw, path)
        reason = hosts.refuse_entry(text) if text is not None else None
        if reason:
            self.say(path, f"{shown(text)} {reason}")
            return None
        return text

    def a_secret(self, raw: object, path: str) -> Secret | None:
        """Return a secret that is long enough."""
        # What was given instead of a secret may be the secret, so it is not repeated.
        if not isinstance(raw, str):
            self.say(path, f"expected a text in quotes, got {kind_of(raw)}")
            return None
        if len(raw.encode("utf-8", "surrogatepass")) < MIN_SECRET_BYTES:
            self.say(path, f"is shorter than {MIN_SECRET_BYTES} bytes; use a long random string")
            return None
        return Secret(raw)

    def a_client(self, raw: object, path: str) -> StaticClient | None:
        """Return an entry of `clients`."""
        try:
            return read_static(raw, read_file=_content)
        except OAuthError as error:
            self.say(path, error.detail or error.description)
            return None

    def listed(
        self, values: Mapping[str, object], name: str, read: Callable[[object, str], T | None]
    ) -> tuple[T, ...]:
        """Return a list, its items read one by one; those that are wrong are left out."""
        raw = values.get(name)
        if raw is None:
            return ()
        if not isinstance(raw, (list, tuple)):
            self.say(name, f"expected a list, got {kind_of(raw)}")
            return ()
        items = [read(item, f"{name}[{n}]") for n, item in enumerate(raw)]
        return tuple(item for item in items if item is not None)

    def file(self, name: str, path: str) -> str:
        """Return what a file says, without white space around it; nothing if it cannot be read."""
        try:
            return _content(name)
        except OAuthError as error:
            self.say(path, error.description)
            return ""


def _content(name: str) -> str:
    try:
        return Path(name).read_text("utf-8").strip()
    except (OSError, ValueError) as error:  # not text, or no name of a file
        reason = getattr(error, "strerror", None) or "it is not text"
        raise invalid(f"cannot read {name}: {reason}") from None


def join(path: str, name: object) -> str:
    """Return the path of an option below another."""
    return f"{path}.{name}" if path else str(name)


def kind_of(raw: object) -> str:
    """Say what a value is, without the value."""
    if raw is None:
        return "nothing"
    names = {dict: "a mapping", list: "a list", str: "a text", bool: "true or false"}
    names |= {int: "a number", float: "a number"}
    return names.get(type(raw), type(raw).__name__)


def likely(name: str, known: list[str]) -> str:
    """Return the known name that this one is a slip of the pen of, if there is one."""
    # 0.7 holds a letter too few, too many or wrong together, and lifetime and clients apart.
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.7)), "")


def _plainly(raw: object, *, whole: bool) -> str:
    """Return a number that YAML took for a text (1e3, "5"), or a whole one with a point, in digits."""
    if not isinstance(raw, (str, float)) or len(str(raw)) > _LONGEST_NUMBER:
        return ""
    try:
        number = float(raw)
    except ValueError:
        return ""
    if not 0 < number < _LARGEST_NUMBER or (whole and not number.is_integer()):
        return ""
    return str(int(number)) if number.is_integer() else f"{Decimal(str(number)):f}"


_LONGEST_NUMBER = 20  # characters
_LARGEST_NUMBER = 1e15


def shown(raw: object) -> str:
    """Return a value as a message may repeat it, or what it is."""
    if isinstance(raw, bool):
        return str(raw).lower()
    return repr(raw)[:80] if isinstance(raw, (str, int, float, bool)) else kind_of(raw)
