"""Whom rules about second factors name: a rule about nobody here leaves somebody without one."""

import re
from collections.abc import Iterator

from synapse.config.homeserver import HomeServerConfig

from synapse_nextgen_auth.accounts.factors.policy import Entry
from synapse_nextgen_auth.homeserver.startup import settings

# The end of a pattern that can only be a server: letters and dots, whatever stands before the colon.
_SERVER = re.compile(r":((?:[\w-]|\\?\.|\\-)+(?::\d+)?)\$?$", re.ASCII)
_LETTER = re.compile(r"\\?[\w.]", re.ASCII)


def problems(hs_config: HomeServerConfig, entries: tuple[Entry, ...]) -> Iterator[str]:
    """Say which rules are about accounts of other servers, or cannot fit any Matrix id."""
    server_name = hs_config.server.server_name
    for number, entry in enumerate(entries):
        path = settings.Written.of(hs_config).whole(f"factors.accounts[{number}]")
        for name in sorted(entry.names):
            server = name.partition(":")[2]
            if server and server.lower() != server_name.lower():
                yield f"{path}.users names {name}, which is no account of {server_name}."
        why = _refuse(entry.matching.pattern, server_name) if entry.matching else None
        if why is not None:
            yield f"{path}.matching fits nobody: {why}."


def _refuse(pattern: str, server_name: str) -> str | None:
    """Return why a pattern fits no account here, where that can be seen from it."""
    if "|" in pattern or "(?" in pattern:
        return None  # what it means stands in several places
    plain = pattern.removeprefix("^")
    if _LETTER.match(plain) and not plain.startswith((".", r"\w")):
        return "a Matrix id begins with @, and the pattern has to fit all of it"
    server = _SERVER.search(pattern)
    if server is not None and not re.fullmatch(server[1], server_name):
        return f"the server that it names is not {server_name}"
    return None
