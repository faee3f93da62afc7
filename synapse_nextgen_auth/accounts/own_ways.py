"""The ways in that one account has, and which of them may go: never the last one.

Only what lets somebody in on this server counts: a password where passwords do that, a provider that is
configured, a code by e-mail where those are on. Whether a module of Synapse knows the account nobody can
tell from here, so that it does not count.
"""

import attrs

from synapse_nextgen_auth.accounts.factors.held import Held
from synapse_nextgen_auth.records import frozen


@frozen(kw_only=True)
class LetsIn:
    """What lets people in on this server: the ids of `providers`, and whether the others do.

    `passkeys` is the site that browsers use them for here, `None` where nobody has any. `mails` says
    whether a code by mail is a second factor, which lets nobody in alone.
    """

    passwords: bool = False
    providers: frozenset[str] = frozenset()
    codes: bool = False
    passkeys: str | None = None
    mails: bool = False


NOTHING = LetsIn()


@frozen
class Identity:
    """Somebody as an identity provider knows them: one provider may know several of them."""

    provider: str
    external_id: str


@frozen
class OwnWays:
    """What an account has: a password or none, its identities, its e-mail addresses and phone numbers.

    `passkeys` are those that let somebody in alone, as their device knows its owner, each by the site
    that it was made for: at another one no browser uses it.

    A code opens an account that nothing else opens, so that an address is a way in as soon as the last
    of the others is gone. It does not where `mail_is_second`: a code by mail is all that the account has
    as a second factor, and the mailbox twice is one thing.
    """

    has_password: bool = False
    identities: tuple[Identity, ...] = ()
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    passkeys: tuple[str, ...] = ()
    mail_is_second: bool = False

    def number(self, lets_in: LetsIn) -> int:
        """Return how many things let somebody in: a code only where nothing else does."""
        others = (
            (self.has_password and lets_in.passwords)
            + sum(each.provider in lets_in.providers for each in self.identities)
            + self.passkeys.count(lets_in.passkeys or "")
        )
        return others or int(self.open(lets_in))

    def can_have_another(self, lets_in: LetsIn) -> bool:
        """Say whether there is a way in on this server that the account has not."""
        has = {each.provider for each in self.identities}
        return (
            (lets_in.passwords and not self.has_password)
            or bool(lets_in.providers - has)
            or lets_in.passkeys is not None
        )

    def open(self, lets_in: LetsIn) -> bool:
        """Say whether somebody can still sign in to it."""
        return (
            (self.has_password and lets_in.passwords)
            or any(each.provider in lets_in.providers for each in self.identities)
            or lets_in.passkeys in self.passkeys
            or (bool(self.emails) and lets_in.codes and not self.mail_is_second)
        )

    def without_password(self) -> "OwnWays":
        """Return what is left without the password."""
        return attrs.evolve(self, has_password=False)

    def without_passkey(self, site: str) -> "OwnWays":
        """Return what is left without one of the passkeys for a site."""
        left = list(self.passkeys)
        left.remove(site)
        return attrs.evolve(self, passkeys=tuple(left))

    def with_factors(self, held: Held) -> "OwnWays":
        """Return it with these second factors, of which codes by mail may be the only one.

        A passkey that lets somebody in alone is no other one: it is asked for at no other way in that
        could do without it.
        """
        others = held.apps + held.passkeys - len(self.passkeys)
        return attrs.evolve(self, mail_is_second=bool(held.mail) and others == 0)

    def without_identity(self, gone: Identity) -> "OwnWays":
        """Return what is left without an identity."""
        return attrs.evolve(
            self, identities=tuple(each for each in self.identities if each != gone)
        )

    def without_email(self, gone: str) -> "OwnWays":
        """Return what is left without an address."""
        return attrs.evolve(self, emails=tuple(each for each in self.emails if each != gone))


def may_go(before: OwnWays, after: OwnWays, lets_in: LetsIn) -> bool:
    """Say whether an account may be left with this.

    One that had no way in before, as far as anybody knows, is let in by something that does not count
    here, a module for instance: what it has may go all the same.
    """
    return after.open(lets_in) or not before.open(lets_in)
