"""Every operation of the admin API, and which one a call is for."""

from urllib.parse import unquote

from synapse_nextgen_auth.web.endpoints.admin import (
    clients,
    compat_sessions,
    emails,
    happenings,
    links,
    oauth2_sessions,
    passwords,
    pending,
    personal_sessions,
    policy,
    providers,
    registration_tokens,
    server,
    sessions,
    statistics,
    user_sessions,
    user_states,
    users,
)
from synapse_nextgen_auth.web.endpoints.admin.operations import Operation, Refused
from synapse_nextgen_auth.web.endpoints.admin.values import Ulid, Wrong

OPERATIONS: tuple[Operation, ...] = (
    *server.OPERATIONS,
    *clients.OPERATIONS,
    *sessions.OPERATIONS,
    *happenings.OPERATIONS,
    *pending.OPERATIONS,
    *statistics.OPERATIONS,
    *oauth2_sessions.OPERATIONS,
    *compat_sessions.OPERATIONS,
    *personal_sessions.OPERATIONS,
    *user_sessions.OPERATIONS,
    *users.OPERATIONS,
    *user_states.OPERATIONS,
    *passwords.OPERATIONS,
    *emails.OPERATIONS,
    *registration_tokens.OPERATIONS,
    *links.OPERATIONS,
    *providers.OPERATIONS,
    *policy.OPERATIONS,
)

_ULID = Ulid()


def find(method: str, below: str) -> tuple[Operation, dict[str, str]]:
    """Return what a call is for, and what stands in the place of the names in its path."""
    segments = below.split("/")
    found = [(each, given) for each in OPERATIONS if (given := _fits(each, segments)) is not None]
    if not found:
        raise Refused(404, "There is nothing at this path.")
    # `users/by-username` before `users/{id}`.
    fewest = min(len(given) for _, given in found)
    here = {each.method: (each, given) for each, given in found if len(given) == fewest}
    wanted = here.get("GET" if method == "HEAD" else method)
    if wanted is None:
        allowed = (*here, *(("HEAD",) if "GET" in here else ()), "OPTIONS")
        said = ", ".join(allowed)
        raise Refused(405, f"Use {said}.", headers=(("Allow", said),))
    operation, given = wanted
    if "id" in given:
        try:
            given["id"] = _ULID.of_text(given["id"])
        except Wrong as wrong:
            raise Refused(400, f"The id in the path {wrong.sentence}.") from None
    return operation, given


def _fits(operation: Operation, segments: list[str]) -> dict[str, str] | None:
    names = operation.path.split("/")
    if len(names) != len(segments):
        return None
    given: dict[str, str] = {}
    for name, segment in zip(names, segments, strict=True):
        if name.startswith("{"):
            if not segment:
                return None
            given[name[1:-1]] = unquote(segment)
        elif name != segment:
            return None
    return given
