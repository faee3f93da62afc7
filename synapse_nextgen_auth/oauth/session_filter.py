"""Which sessions whoever runs the server means: the filters of the admin API and of the commands."""

from synapse_nextgen_auth.oauth.scopes.permissions import API
from synapse_nextgen_auth.records import frozen


@frozen(kw_only=True)
class SessionFilter:
    """What sessions have in common; `None`, or nothing, is whatever they have. Times in seconds.

    `clients` are the ids of which one is theirs, `but_clients` those of which none is. Of `scopes` they
    have each. What is `created_before` a time began strictly before it, and so for the others.
    `is_living` says whether they go on, or are over. `owner_id` is who made a personal token, for
    themselves or another account, and `expires` whether it has an end.
    """

    user_id: str | None = None
    clients: tuple[str, ...] | None = None
    but_clients: tuple[str, ...] = ()
    sign_in_id: str | None = None
    scopes: tuple[str, ...] = ()
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
        """Say whether it names an account, a client or an address: nobody means everything by that."""
        return not (
            self.user_id is None
            and self.owner_id is None
            and self.clients is None
            and self.sign_in_id is None
            and self.address is None
        )

    @property
    def narrows(self) -> bool:
        """Say whether it leaves out anything; whether they live does not count."""
        scopes = [each for each in self.scopes if each != API]
        others = (
            *(self.has_device, self.created_before, self.created_after),
            *(self.active_before, self.active_after),
            *(self.expires, self.expires_before, self.expires_after),
        )
        return self.names_some or bool(scopes) or any(each is not None for each in others)


def ends_too_much(meant: SessionFilter, *, matching: int, living: int, is_all_meant: bool) -> bool:
    """Say whether so many of those that live would end by accident.

    A filter that leaves out nothing ends everything, and so does one whose times leave out nothing
    today. Whoever means that says so (`is_all_meant`).
    """
    if is_all_meant:
        return False
    if not meant.narrows:
        return True
    return not meant.names_some and matching >= living > 0


def is_scope_token(text: str) -> bool:
    """Say whether a scope can have this in it (RFC 6749 section 3.3): no session has anything else."""
    return bool(text) and all("!" <= each <= "~" and each not in '"\\' for each in text)
