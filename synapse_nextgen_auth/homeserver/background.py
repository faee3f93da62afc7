"""Work that goes on beside requests, under names that Synapse counts it by.

They are the label `name` of `synapse_background_process_*`, and the beginning of what a log line of such
work is marked with: what operators plot and search for. So they follow from nothing.
"""

import enum
from collections.abc import Awaitable, Callable
from typing import ParamSpec

from synapse.server import HomeServer

from synapse_nextgen_auth.homeserver.startup.needed import members

NEEDS = (*members("synapse.server", "HomeServer", "run_as_background_process"),)

P = ParamSpec("P")


class Background(enum.Enum):
    """The kinds of work; no value here ever changes."""

    ACTIVITY = "nextgen_activity"
    ADMIN_USED = "nextgen_admin_used"
    DEVICE_REMOVED_LATER = "nextgen_device_removed_later"
    DEVICE_UNMADE = "nextgen_device_unmade"
    FAILED_SIGN_INS = "nextgen_failed_sign_ins"
    FAREWELLS = "nextgen_farewells"
    HASHES = "nextgen_hashes"
    HOUSEKEEPING = "nextgen_housekeeping"
    LAST_CHORES = "nextgen_last_chores"
    LATER_STEPS = "nextgen_later_steps"
    LISTENERS = "nextgen_listeners"
    LOGIN_CALLBACK = "nextgen_login_callback"
    LOOKUPS = "nextgen_lookups"
    OUTBOX = "nextgen_outbox"
    OWN_CONNECTION = "nextgen_own_connection"
    REVOCATIONS = "nextgen_revocations"
    STRAYS = "nextgen_strays"
    TOKEN_HOLDS = "nextgen_token_holds"  # noqa: S105 (a name)
    VERIFIED = "nextgen_verified"


def begin(
    hs: HomeServer,
    kind: Background,
    work: Callable[P, Awaitable[object]],
    *args: P.args,
    **kwargs: P.kwargs,
) -> None:
    """Let some work go on by itself; what it raises is logged by Synapse."""
    hs.run_as_background_process(kind.value, work, *args, **kwargs)
