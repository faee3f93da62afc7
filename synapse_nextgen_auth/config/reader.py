"""Records are read from what the operator wrote; what is wrong is collected with its path."""

from collections.abc import Mapping
from typing import Any, TypeVar

from synapse_nextgen_auth.config.options import Option, members_of
from synapse_nextgen_auth.config.problems import Problems, join, kind_of, likely
from synapse_nextgen_auth.records import frozen

T = TypeVar("T")


@frozen
class Reader:
    """Reads a record by the kinds of its options.

    `paths` are those of all options there are: one that stands in the wrong place is told its own.
    """

    problems: Problems
    paths: tuple[str, ...]

    def read(self, record: type[T], raw: object, path: str = "") -> T:
        """Return the record; an option that is not there, or wrong, has its default."""
        values = self._mapping({} if raw is None else raw, path)
        members = dict(members_of(record))
        self._refuse_unknown(values, list(members), path)
        read: dict[str, Any] = {}
        # What stands at the top first, then the sections: as the operator reads a file.
        for name, member in sorted(
            members.items(), key=lambda item: not isinstance(item[1], Option)
        ):
            given, where = values.get(name), join(path, name)
            if not isinstance(member, Option):
                read[name] = self.read(member, given, where)
            elif given is not None:
                value = member.kind.read(given, where, self.problems)
                read |= {} if value is None else {name: value}
        return record(**read)

    def _mapping(self, raw: object, path: str) -> Mapping[str, object]:
        """Return options by name; nothing where something else was given."""
        if isinstance(raw, Mapping):
            return raw
        self.problems.say(path or "config", f"expected options by name, got {kind_of(raw)}")
        return {}

    def _refuse_unknown(self, values: Mapping[str, object], known: list[str], path: str) -> None:
        """Note every option that the record does not have."""
        for name in values:
            if name not in known:
                meant = self._meant(str(name).lower(), known)
                hint = f"did you mean {meant}?" if meant else f"known are {', '.join(known)}"
                self.problems.say(join(path, name), f"unknown option; {hint}")

    def _meant(self, name: str, known: list[str]) -> str:
        """Return what an unknown name may stand for: one in another section by its whole path."""
        elsewhere = [path for path in self.paths if path.rpartition(".")[2] == name]
        if name not in known and elsewhere:
            return " or ".join(filter(None, (", ".join(elsewhere[:-1]), elsewhere[-1])))
        return likely(name, known)
