"""Which ways in a configuration has: what `check-config` can find out without starting Synapse.

Modules say what they check when they are made. So each is made here, with a stand-in for the Synapse
that is not there: what it asks of that leads nowhere. A module that cannot be made like this may check
something or nothing; only a running Synapse knows.
"""

import contextlib
import io
import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs
from synapse.config.homeserver import HomeServerConfig

from synapse_nextgen_auth.accounts.ways import PASSWORD, Ways, find_ways, why_not
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.homeserver.mail import is_configured
from synapse_nextgen_auth.homeserver.people.providers.configured import configured
from synapse_nextgen_auth.homeserver.startup.settings import no_way_in
from synapse_nextgen_auth.module import NextGenAuth
from synapse_nextgen_auth.records import frozen


@frozen
class WaysIn:
    """What was found: the forms of the sign-in page, by whom they are checked, and what is left out.

    `asked` are the modules by what they check, `unasked` those that only a running Synapse can ask,
    `left_out` the types that no person can be asked for, each with the reason. `closed` is what helps
    where there is no way in, `never_fresh` are the providers at which nobody can prove anew who they
    are, where people have no other way to do that. `codes` is whether some sign in by a code.
    """

    ways: Ways
    localdb: bool
    closed: str
    asked: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    unasked: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    providers: tuple[str, ...] = ()
    never_fresh: tuple[str, ...] = ()
    codes: bool = False

    @property
    def problems(self) -> list[str]:
        """Say that nobody could sign in."""
        if self.ways or self.unasked or self.providers or self.codes:
            return []
        return [f"password_config: nobody can sign in on the pages of this module: {self.closed}"]

    @property
    def warnings(self) -> list[str]:
        """Say what people are not asked for, and what only somebody else may let them do."""
        return [
            *self._doubts(),
            *(
                f"modules: {name} cannot be asked for on the sign-in page: {why}. Applications that"
                " know it sign in with Synapse's own /login."
                for name, why in self.left_out
            ),
        ]

    def _doubts(self) -> Iterator[str]:
        if not self.localdb and self.unasked and not self.ways and not self.providers:
            yield (
                "password_config.localdb_enabled is false: people can sign in only if another module"
                " checks their passwords. The sign-in page says so if none does."
            )
        if self.never_fresh:
            yield (
                f"oidc_providers: {' and '.join(self.never_fresh)} without the scope openid, and people"
                " have no other way in: nobody can confirm that it is them, which some pages and"
                " applications ask for. Add openid to the scopes if the provider speaks OpenID Connect,"
                " or name it in providers.trusted_to_be_fresh."
            )


def look(hs_config: HomeServerConfig, config: Config) -> WaysIn:
    """Return the ways in of this configuration."""
    types: dict[str, tuple[str, ...]] = {}
    asked: dict[str, tuple[str, ...]] = {}
    unasked: list[str] = []
    by_address = False
    for module, options in _modules(hs_config):
        name = f"{module.__module__}.{module.__qualname__}"
        told = _ask(module, options)
        if told is None:
            unasked.append(name)
            continue
        by_address |= told.by_address
        types.update(told.types)
        if told.types or told.by_address:
            asked[name] = (*told.types, *((PASSWORD,) if told.by_address else ()))
    localdb = bool(hs_config.auth.password_localdb_enabled)
    ways = find_ways(
        types,
        passwords=bool(hs_config.auth.password_enabled_for_login),
        localdb=localdb,
        email=by_address or bool(hs_config.email.can_verify_email),
        phone=by_address or bool(hs_config.registration.account_threepid_delegate_msisdn),
    )
    reasons = ((name, why_not(name, fields)) for name, fields in types.items())
    left_out = tuple((name, why) for name, why in reasons if why is not None)
    providers = tuple(configured(hs_config))
    trusted = {name.removeprefix("oidc-") for name in config.providers.trusted_to_be_fresh}
    can_confirm = (
        unasked
        or ways.custom
        or (hs_config.auth.password_enabled_for_reauth and (localdb or PASSWORD in types))
        or any(each.proves_afresh or each.provider_id in trusted for each in providers)
    )
    return WaysIn(
        ways,
        localdb,
        no_way_in(hs_config),
        asked,
        tuple(unasked),
        left_out,
        tuple(map(str, providers)),
        () if can_confirm else tuple(f"{each.name} ({each.provider_id})" for each in providers),
        codes=config.sign_in.email_codes and is_configured(hs_config),
    )


@frozen
class _Told:
    types: Mapping[str, tuple[str, ...]]
    by_address: bool


def _modules(hs_config: HomeServerConfig) -> Iterator[tuple[type[Any], Any]]:
    for module, options in hs_config.modules.loaded_modules:
        if not issubclass(module, NextGenAuth):
            yield module, options
    yield from hs_config.authproviders.password_providers


def _ask(module: type[Any], options: Any) -> _Told | None:
    """Make a module and return what it checks; `None` if it cannot be made without a Synapse."""
    stand_in = _StandIn()
    silence = io.StringIO()
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(silence), contextlib.redirect_stderr(silence):
            made = _make(module, options, stand_in)
    except BaseException as error:  # whatever it does, it is somebody else's
        if isinstance(error, KeyboardInterrupt):
            raise
        return None
    finally:
        logging.disable(logging.NOTSET)
    registered, by_address = stand_in.registered, stand_in.by_address
    if not registered and not by_address:
        return _Told(*_of_old_kind(made))
    return _Told(registered, by_address)


def _make(module: type[Any], options: Any, stand_in: "_StandIn") -> Any:
    try:
        return module(options, stand_in)
    except TypeError:
        return module(config=options, account_handler=stand_in)


def _of_old_kind(made: Any) -> tuple[dict[str, tuple[str, ...]], bool]:
    """Return what a module checks that Synapse asks by its methods (`password_providers`)."""
    types: dict[str, tuple[str, ...]] = {}
    with contextlib.suppress(Exception):
        if hasattr(made, "get_supported_login_types"):
            found = made.get_supported_login_types()
            types = {str(name): tuple(map(str, fields)) for name, fields in found.items()}
        if hasattr(made, "check_password"):
            types.setdefault(PASSWORD, ("password",))
    return types, hasattr(made, "check_3pid_auth")


class _StandIn:
    """A Module API that leads nowhere, and notes what is registered with it."""

    def __init__(self) -> None:
        self.registered: dict[str, tuple[str, ...]] = {}
        self.by_address = False

    def register_password_auth_provider_callbacks(
        self,
        *,
        auth_checkers: Mapping[tuple[str, Iterable[str]], object] | None = None,
        check_3pid_auth: object = None,
        **_others: object,
    ) -> None:
        """Note what a module checks."""
        for name, fields in auth_checkers or {}:
            self.registered[name] = tuple(fields)
        self.by_address |= check_3pid_auth is not None

    def __getattr__(self, name: str) -> "_StandIn":
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_args: object, **_kwargs: object) -> "_StandIn":
        return self

    def __getitem__(self, _key: object) -> "_StandIn":
        return self
