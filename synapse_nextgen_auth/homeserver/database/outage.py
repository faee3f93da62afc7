"""A database that is away is a failure of ours: Matrix endpoints say so, and when to come back."""

from collections.abc import Iterator
from contextlib import contextmanager

from synapse.api.errors import SynapseError

from synapse_nextgen_auth.homeserver.api import Homeserver


def come_back() -> SynapseError:
    """Return a 503 with `Retry-After`; Synapse itself would answer 500 without one (C102)."""
    return SynapseError(503, "Try again in a moment", headers={"Retry-After": "5"})


@contextmanager
def answered_503(homeserver: Homeserver) -> Iterator[None]:
    """Turn what a database raises within into a 503."""
    try:
        yield
    except homeserver.database_errors as error:
        raise come_back() from error
