"""Options about requests that take a fresh or a stronger sign-in."""

from collections.abc import Mapping

from synapse_nextgen_auth.config.durations import duration
from synapse_nextgen_auth.config.kinds.lists import SetOf
from synapse_nextgen_auth.config.kinds.numbers import Duration, WholeNumber
from synapse_nextgen_auth.config.kinds.words import Text
from synapse_nextgen_auth.config.problems import Problems, join, kind_of, shown
from synapse_nextgen_auth.oauth.step_up import ADMIN_API, Protected, Requirement
from synapse_nextgen_auth.records import frozen

_PATH, _METHODS, _FACTORS, _MAX_AGE = "path", "methods", "factors", "max_age"
_FIELDS = [_PATH, _METHODS, _FACTORS, _MAX_AGE]
_KNOWN = frozenset({"DELETE", "GET", "PATCH", "POST", "PUT"})


@frozen
class ProtectedRequests:
    """Requests of the Matrix API, and what they take."""

    @property
    def takes(self) -> str:
        """The fields of one."""
        return f"`{_PATH}`, `{_METHODS}`, `{_FACTORS}` and `{_MAX_AGE}`"

    def read(self, raw: object, path: str, problems: Problems) -> Protected | None:
        """Return them; all that is wrong is told."""
        if not isinstance(raw, Mapping):
            problems.say(path, f"expected {', '.join(_FIELDS)}, got {kind_of(raw)}")
            return None
        before = len(problems.found)
        problems.say_unknown(path, raw, _FIELDS)
        where = _path(raw.get(_PATH), join(path, _PATH), problems)
        methods = _methods(raw.get(_METHODS), join(path, _METHODS), problems)
        requirement = _requirement(raw, path, problems)
        if where is None or len(problems.found) > before:
            return None
        return Protected(where, requirement, methods)

    def show(self, value: Protected, written: object) -> str:  # noqa: ARG002 - like every kind
        """Return which they are, and what they take."""
        methods = f"{'/'.join(sorted(value.methods))} " if value.methods else ""
        required = value.requirement
        takes = ["two factors"] if required.level == 2 else []
        if required.max_age is not None:
            takes.append(f"proven within {duration(required.max_age)}")
        return f"{methods}{value.path} ({', '.join(takes)})"

    def write(self, value: Protected) -> str:
        """Return the same."""
        return self.show(value, None)


def _path(raw: object, path: str, problems: Problems) -> str | None:
    text = Text().read(raw, path, problems)
    if text is None or text == ADMIN_API:
        return text
    if not text.startswith(("/_matrix/", "/_synapse/")) or set(text) & {"?", "#", " ", "%"}:
        expected = f"{ADMIN_API}, or a path that begins with /_matrix/ or /_synapse/"
        problems.say(path, f"expected {expected}, written plainly, got {shown(text)}")
        return None
    return text


def _methods(raw: object, path: str, problems: Problems) -> frozenset[str]:
    if raw is None:
        return frozenset()
    methods = SetOf(Text(), "methods").read(raw, path, problems) or frozenset()
    for method in sorted(methods - _KNOWN):
        problems.say(path, f"expected {', '.join(sorted(_KNOWN))}, got {shown(method)}")
    return methods & _KNOWN


def _requirement(raw: Mapping[str, object], path: str, problems: Problems) -> Requirement:
    factors, age = raw.get(_FACTORS), raw.get(_MAX_AGE)
    if factors is None and age is None:
        problems.say(path, f"takes nothing: say {_FACTORS}, {_MAX_AGE} or both")
    level, max_age = None, None
    if factors is not None:
        level = WholeNumber(most=2).read(factors, join(path, _FACTORS), problems)
    if age is not None:
        # Whoever proved something has to get as far as the request.
        max_age = Duration(shortest="30s").read(age, join(path, _MAX_AGE), problems)
    if level == 1 and age is None:
        problems.say(join(path, _FACTORS), "1 is what every sign-in has")
    return Requirement(level or 1, max_age)
