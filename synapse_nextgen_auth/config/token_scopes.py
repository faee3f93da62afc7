"""What the operator wrote of the scopes that personal tokens may have."""

from synapse_nextgen_auth.config.kinds.words import Text
from synapse_nextgen_auth.config.problems import Problems, kind_of, likely, shown
from synapse_nextgen_auth.oauth.scopes.permissions import ADMIN, API
from synapse_nextgen_auth.oauth.tokens.personal_tokens import PARTS, POWERS


def read(raw: object, path: str, problems: Problems, *, of_admins: bool) -> frozenset[str] | None:
    """Return the scopes; each that is none, or is not for these people, is told at its own path."""
    if not isinstance(raw, (list, tuple)):
        problems.say(path, f"expected a list, got {kind_of(raw)}")
        return None
    if not raw:
        problems.say(path, "expected at least one scope; personal_tokens.who says who makes any")
        return None
    before = len(problems.found)
    known = [each for each in PARTS if of_admins or each not in POWERS]
    for n, item in enumerate(raw):
        here = f"{path}[{n}]"
        scope = Text().read(item, here, problems)
        if scope is None or scope in known:
            continue
        if scope in POWERS:
            text = "is power over the server, which is for administrators alone:"
            problems.say(here, f"{shown(scope)} {text} name it in scopes_of_admins")
            continue
        meant = _meant(scope, known)
        hint = f"did you mean {meant}?" if meant else f"known are {', '.join(known)}"
        problems.say(here, f"{shown(scope)} is no scope of a personal token; {hint}")
    if ADMIN in raw and of_admins and API not in raw:
        problems.say(path, f"{ADMIN} takes {API} beside it")
    return frozenset(raw) if len(problems.found) == before else None


def _meant(scope: str, known: list[str]) -> str:
    """Return which one somebody meant, be it by its last part alone."""
    ends = {each.rpartition(":")[2]: each for each in known}
    return ends.get(scope) or likely(scope, known) or ends.get(likely(scope, list(ends)), "")
