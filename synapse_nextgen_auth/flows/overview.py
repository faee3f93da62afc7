"""What the overview of an account knows, with one query for each table of ours and few of Synapse's."""

from synapse_nextgen_auth.accounts.own_ways import OwnWays
from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.oauth.events import EventKind
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import consents, events, own_ways, sessions, sign_ins
from synapse_nextgen_auth.store.consents import Consent
from synapse_nextgen_auth.store.txn import Txn

# Kinds that somebody else may have caused, and those by which the person did something about it.
_ODD = (EventKind.REFRESH_REUSED, EventKind.CODE_REUSED)
_MENDS = (EventKind.PASSWORD_CHANGED, EventKind.PASSWORD_SET, EventKind.ALL_SIGNED_OUT)


@frozen
class Happened:
    """When each kind of event happened last, of late."""

    last: dict[EventKind, int]

    @property
    def odd_at(self) -> int | None:
        """When something odd did."""
        return self._last_of(_ODD)

    @property
    def mended_at(self) -> int | None:
        """When the person did what helps against it."""
        return self._last_of(_MENDS)

    @property
    def newest(self) -> tuple[EventKind, int] | None:
        """What happened last of all."""
        return max(self.last.items(), key=lambda each: each[1], default=None)

    def _last_of(self, kinds: tuple[EventKind, ...]) -> int | None:
        return max((at for kind, at in self.last.items() if kind in kinds), default=None)


@frozen
class Known:
    """Rows of one account, living ones; those whose time is over among them."""

    sessions: list[Session]
    sign_ins: list[SignIn]
    consents: list[Consent]
    ways: OwnWays
    happened: Happened


def look(txn: Txn, user_id: str, *, since: int) -> Known:
    """Look at everything at once; events since then."""
    return Known(
        sessions.list_living(txn, user_id),
        sign_ins.list_living(txn, user_id),
        consents.list_of(txn, user_id),
        own_ways.list_for(txn, user_id),
        Happened(events.last_of_each_kind(txn, user_id, since=since)),
    )
