"""What somebody asked for who forgot their password, until the main process looks who they are.

It is sealed: whose address is typed into our page is nobody's business who reads the database.
"""

import json

import attrs

from synapse_nextgen_auth.accounts.works import Recover
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, Purpose, random_id


@frozen
class Request:
    """The address that was typed, the language of the page, and for how long a link would live.

    `attempt_id` is what waits for its person in the browser. Times in seconds since the epoch.
    """

    address: str = attrs.field(repr=False)
    lang: str
    asked_at: int
    expires_at: int
    attempt_id: str | None = None

    def posted(self, keys: Keyring) -> Recover:
        """Return what a flow puts into the outbox; sealed before its transaction, as it is random."""
        sealed = keys.seal(Purpose.RECOVERY, json.dumps(attrs.asdict(self)).encode("utf-8"))
        return Recover(request=random_id(), asked=sealed)

    @classmethod
    def unseal(cls, keys: Keyring, sealed: str) -> "Request | None":
        """Return what was sealed; `None` where no key of ours fits any more."""
        plain = keys.unseal(Purpose.RECOVERY, sealed)
        return None if plain is None else cls(**json.loads(plain))
