"""Somebody whom a provider let in and who has no account here yet: what is known of them, and asked."""

import json
from collections.abc import Iterable
from typing import Any

import attrs

from synapse_nextgen_auth.accounts.attempts.arrivals import Statement
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, Purpose

# As many addresses as a page can show; no honest provider knows more.
_MOST_EMAILS = 20


@frozen
class Newcomer:
    """What a provider knows of a person: Synapse's `UserAttributes`, and by which id it knows them.

    `must_choose` says that the person chooses the name; a `localpart` is a suggestion then. `statement`
    is what it says of the sign-in, which proves something only once there is an account; `extras` is
    what clients of the old kind are told beside their tokens.
    """

    provider: str
    remote_user_id: str
    localpart: str | None = None
    must_choose: bool = True
    display_name: str | None = None
    picture: str | None = None
    emails: tuple[str, ...] = ()
    statement: Statement = attrs.field(factory=Statement)
    extras: dict[str, Any] = attrs.field(factory=dict)

    @classmethod
    def of(
        cls,
        provider: str,
        remote_user_id: str,
        attributes: Any,
        statement: Statement,
        *,
        extras: dict[str, Any] | None = None,
    ) -> "Newcomer":
        """Read what a mapping made of the provider's answer."""
        return cls(
            provider=provider,
            remote_user_id=remote_user_id,
            localpart=attributes.localpart or None,
            must_choose=not attributes.localpart or bool(attributes.confirm_localpart),
            display_name=attributes.display_name or None,
            picture=attributes.picture or None,
            emails=_texts(attributes.emails),
            statement=statement,
            extras=extras or {},
        )

    def seal(self, keys: Keyring) -> str:
        """Return it as a table keeps it."""
        return keys.seal(Purpose.NEWCOMER, json.dumps(attrs.asdict(self)).encode("utf-8"))

    @classmethod
    def unseal(cls, keys: Keyring, sealed: str) -> "Newcomer | None":
        """Return what was sealed; `None` where no key of ours fits any more."""
        plain = keys.unseal(Purpose.NEWCOMER, sealed)
        if plain is None:
            return None
        found = json.loads(plain)
        known = {"emails": tuple(found["emails"]), "statement": Statement(**found["statement"])}
        return cls(**{**found, **known})


def _texts(emails: Iterable[object]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in emails if isinstance(each, str) and each))[
        :_MOST_EMAILS
    ]
