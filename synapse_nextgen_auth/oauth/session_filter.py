"""Which sessions whoever runs the server means: the filters of the admin API and of the commands."""

from synapse_nextgen_auth.oauth.scopes.permissions import API
from synapse_nextgen_auth.records import frozen


@frozen(kw_only=True)
class SessionFilter:
    """What sessions have in common; `None`, or nothing, is whatever they have. Times in seconds.

    `clients` are the ids of which one is theirs, `but_clients` those of which none is; unless
    `are_clients_named`, they are whatever clients the configuration has. `session_id` is one alone.
    Of `scopes` they have each, and of `kept`, which are of services of others (`oauth/resources.py`).
    What is `created_before` a time began strictly before it, and so for the others.
    `is_living` says whether they go on, or are over. `owner_id` is who made a personal token, for
    themselves or another account, and `expires` whether it has an end.
    """

    user_id: str | None = None
    clients: tuple[str, ...] | None = None
    but_clients: tuple[str, ...] = ()
    are_clients_named: bool = True
    session_id: str | None = None
    sign_in_id: str | None = None
    scopes: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    is_living: bool | None = None
    is_personal: bool | None = None
    has_device: bool | None = None
    address: str | None = None
    owner_id: str | None = None
    created_before: int | None = None
    created_after: int | None = None
    active_before: int | None = None
    active_after: int | None = None
    expires: bool | None = None
    expires_before: int | None = None
    expires_after: int | None = None

    @property
    def names_some(self) -> bool:
        """Say whether it names an account, a client or a browser: nobody means everything by that.

        An address is not among them: behind a proxy that does not say whom it speaks for, all have one.
        """
        return not (
            self.user_id is None
            and self.owner_id is None
            and (self.clients is None or not self.are_clients_named)
            and self.sign_in_id is None
        )

    @property
    def of_its_kind(self) -> "SessionFilter":
        """Return what means everything of the kind of sessions, and of clients, that this is about."""
        return SessionFilter(
            is_living=True,
            is_personal=self.is_personal,
            clients=None if self.are_clients_named else self.clients,
            but_clients=self.but_clients,
            are_clients_named=self.are_clients_named,
        )

    @property
    def narrows(self) -> bool:
        """Say whether it leaves out anything; whether they live does not count."""
        scopes = [each for each in self.scopes if each != API]
        others = (
            *(self.has_device, self.address, self.created_before, self.created_after),
            *(self.active_before, self.active_after),
            *(self.expires, self.expires_before, self.expires_after),
        )
        return (
            self.names_some or bool(scopes or self.kept) or any(each is not None for each in others)
        )


def ends_too_much(meant: SessionFilter, *, matching: int, living: int, is_all_meant: bool) -> bool:
    """Say whether so many of those that live would end by accident.

    A filter that leaves out nothing ends everything, and so does one that happens to leave out nothing
    of its kind today: `living` are those (`of_its_kind`). Whoever means that says so (`is_all_meant`).
    """
    if is_all_meant:
        return False
    if not meant.narrows:
        return True
    return not meant.names_some and matching >= living > 0


def is_scope_token(text: str) -> bool:
    """Say whether a scope can have this in it (RFC 6749 section 3.3): no session has anything else."""
    return bool(text) and all("!" <= each <= "~" and each not in '"\\' for each in text)
