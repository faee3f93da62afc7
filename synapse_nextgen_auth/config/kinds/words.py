"""Options that are words: switches, choices, texts and secrets."""

import enum
from typing import Generic, TypeVar

from synapse_nextgen_auth.config.problems import Problems, kind_of, shown
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Secret

MIN_SECRET_BYTES = 32


@frozen
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


@frozen
class Choice(Generic[E]):
    """One of a few words: the values of an enum."""

    of: type[E]

    @property
    def takes(self) -> str:
        """The words."""
        *others, last = (f"`{each.value}`" for each in self.of)
        return f"{', '.join(others)} or {last}"

    def read(self, raw: object, path: str, problems: Problems) -> E | None:
        """Return what the word stands for; a bare `on` or `off` is YAML's for true or false."""
        word = {True: "on", False: "off"}.get(raw) if isinstance(raw, bool) else raw
        for each in self.of:
            if each.value == word:
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


@frozen
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
        if isinstance(raw, str):
            problems.say(path, "expected a text, got an empty text")
        elif isinstance(raw, bool):
            problems.say(
                path,
                "expected a text, got true or false: put it in quotes, as YAML takes no and yes, on and"
                " off for these",
            )
        else:
            problems.say(path, f"expected a text, got {kind_of(raw)}")
        return None

    def show(self, value: str, written: object) -> str:  # noqa: ARG002 - like every kind
        """Return the text."""
        return value

    def write(self, value: str) -> str:
        """Return the text."""
        return value


@frozen
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
