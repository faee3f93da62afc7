"""What is wrong with the operator's options, and the words in which a value is repeated."""

from collections.abc import Iterable

import attrs

from synapse_nextgen_auth.records import frozen


class ConfigProblems(Exception):
    """Everything that is wrong with the operator's options: (path, what is wrong) pairs."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("\n".join(f"{path}: {text}" for path, text in problems))
        self.problems = problems


@frozen
class Problems:
    """Collects what is wrong, so that all of it is told at once."""

    found: list[tuple[str, str]] = attrs.field(factory=list)

    def say(self, path: str, text: str) -> None:
        """Note what is wrong at a path."""
        self.found.append((path, text))

    def say_unknown(self, path: str, names: Iterable[object], known: list[str]) -> None:
        """Note which names below a path are of no option, and which was meant if one is near."""
        for name in names:
            if name not in known:
                meant = likely(str(name).lower(), known)
                hint = f"did you mean {meant}?" if meant else f"known are {', '.join(known)}"
                self.say(join(path, name), f"unknown option; {hint}")

    def are_at(self, beginning: str) -> bool:
        """Say whether something is wrong at a path that begins so."""
        return any(path.startswith(beginning) for path, _ in self.found)


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


def shown(raw: object) -> str:
    """Return a value as a message may repeat it, or what it is."""
    if isinstance(raw, bool):
        return str(raw).lower()
    return repr(raw)[:80] if isinstance(raw, (str, int, float, bool)) else kind_of(raw)


def likely(name: str, known: list[str]) -> str:
    """Return the known name that this one is a slip of the pen of, if there is one."""
    import difflib  # noqa: PLC0415 (most make no slip)

    # 0.7 holds a letter too few, too many or wrong together, and lifetime and clients apart.
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.7)), "")
