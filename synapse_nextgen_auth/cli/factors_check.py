"""What a configuration would take from people who have second factors, as far as a database tells."""

from collections.abc import Iterator, Sequence
from typing import cast

from synapse.config.homeserver import HomeServerConfig

from synapse_nextgen_auth.accounts.factors.passkeys import party
from synapse_nextgen_auth.accounts.factors.policy import Entry
from synapse_nextgen_auth.assembly.issuer import factor_policy, keyring
from synapse_nextgen_auth.cli.database_check import main_database
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.homeserver import mail
from synapse_nextgen_auth.homeserver.database import schema
from synapse_nextgen_auth.oauth.metadata import Endpoints
from synapse_nextgen_auth.secret import Keyring, Purpose
from synapse_nextgen_auth.store import accounts, factor_mail, factors, passkeys
from synapse_nextgen_auth.store.txn import Txn

# From this step on there are the tables, and from that one on that of codes by mail.
SINCE, MAIL_SINCE = 33, 39
_MOST = 10


def warnings(hs_config: HomeServerConfig, config: Config, *, version: int) -> list[str]:
    """Return what is lost, and what would bring it back; nothing is written.

    `version` is that of the tables.
    """
    database = main_database(hs_config)
    server_name = hs_config.server.server_name
    issuer = Endpoints.under(hs_config.server.public_baseurl).issuer
    site = party.of(issuer, server_name=server_name)
    may_mail = config.factors.email_codes and mail.is_configured(hs_config)
    with schema.reading(database, server_name) as cursor:
        txn = cast("Txn", cursor)
        found = [
            *_passkeys(txn, site.rp_id if site is not None else None),
            *_apps(txn, keyring(config, hs_config)),
        ]
        try:
            found += _rules(txn, config.factors.accounts)
            if version >= MAIL_SINCE and not may_mail:
                found += _mails(txn)
            if not factor_policy(config).is_on:
                found += _without_policy(txn)
        except schema.driver_error(database):  # before Synapse's first start there are no accounts
            pass
    return found


def _rules(txn: Txn, entries: Sequence[Entry]) -> Iterator[str]:
    """Say which rules are about nobody: names without an account, and patterns that fit none."""
    if not entries:
        return
    people = accounts.list_open(txn)
    written = {name.lower() for name in people}
    known = written | {name[1:].partition(":")[0] for name in written}
    for number, entry in enumerate(entries):
        path = f"factors.accounts[{number}]"
        absent = sorted(name for name in entry.names if name.lower() not in known)
        if absent:
            yield (
                f"{path}.users names {_listed(absent)}, and there is no such account that is open: the"
                " rule is not about anybody of that name until somebody has it."
            )
        matching = entry.matching
        if matching is not None and not any(map(matching.fullmatch, people)):
            yield (
                f"{path}.matching fits none of the {len(people)} accounts that are open. It has to fit"
                " the whole Matrix id, like @anna:example.com."
            )


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST
    return f"{', '.join(names[:_MOST])} and {more} others" if more > 0 else ", ".join(names)


def _passkeys(txn: Txn, here: str | None) -> Iterator[str]:
    for rp_id, number in passkeys.count_by_site(txn):
        if rp_id != here:
            yield (
                f"public_baseurl: passkeys that were made at {rp_id} ({number}) do not work at"
                f" {here or 'an address at which browsers make none'}: nobody signs in with them while"
                f" that is the address. Whoever has no other way in cannot sign in."
            )


def _mails(txn: Txn) -> Iterator[str]:
    having, alone = factor_mail.count_alone(txn)
    if having:
        yield (
            f"factors.email_codes: {having} accounts have codes by e-mail as a second factor, {alone} of"
            " them no other one, and none are sent: whoever has nothing else needs a recovery code."
        )


def _without_policy(txn: Txn) -> Iterator[str]:
    alone, lost = passkeys.count_alone(txn)
    if alone:
        yield (
            f"factors.policy is off, and {alone} accounts have a passkey and neither a password nor a"
            f" provider, {lost} of them no e-mail address either: no page offers passkeys unless another"
            " module has a rule for factors, so they cannot sign in. Let it be optional, or give them"
            " a password first."
        )


def _apps(txn: Txn, keys: Keyring) -> Iterator[str]:
    secrets = factors.sealed_secrets(txn)
    lost = sum(keys.unseal(Purpose.TOTP, each) is None for each in secrets)
    if lost:
        yield (
            f"secret: {lost} of {len(secrets)} authenticator apps were set up under another secret and"
            " cannot be read: their owners cannot prove them. Put the former secret into"
            " previous_secrets."
        )
