"""Who gets an account on the pages, and what they are asked, as `check-config` says it."""

from collections.abc import Iterable, Iterator
from typing import Any

from synapse.config._base import ConfigError
from synapse.config.homeserver import HomeServerConfig

from synapse_nextgen_auth.accounts.attempts.sign_ups import (
    CAPTCHA,
    EMAIL,
    MSISDN,
    TERMS,
    TOKEN,
    Demands,
)
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.homeserver.people.sign_ups.demands import SignUpRules
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.sign_up import PAGES

# In the order in which people are asked.
_WORDS = {
    TOKEN: "registration token",
    CAPTCHA: "captcha",
    EMAIL: "e-mail address",
    MSISDN: "phone number",
    TERMS: "terms",
}


@frozen
class SignUps:
    """What was found, in words, and what keeps Synapse from starting."""

    words: str
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def look(hs_config: HomeServerConfig, config: Config) -> SignUps:
    """Return what is asked of new people with this configuration."""
    try:
        return SignUps(_found(hs_config, config), warnings=tuple(_warnings(hs_config, config)))
    except ConfigError as error:
        # Synapse looks when it makes its `/register`, whether anybody may use that or not.
        return SignUps("closed", (f"registrations_require_3pid: {error.msg}",))


def _found(hs_config: HomeServerConfig, config: Config) -> str:
    rules = SignUpRules(
        _StandIn(hs_config),  # type: ignore[arg-type]  # as much of it as is asked
        pages=lambda: frozenset(PAGES),
        also=lambda: frozenset({CAPTCHA} if config.captcha.kind else ()),
        is_closed=config.drain,
    )
    others = [f"people of {each}" for each in sorted(rules.providers)]
    own = with_password(rules.demands)  # closed or not: Synapse looks at it in any case
    if rules.by_password:
        return ", ".join([own, *others])
    return ", ".join(others) or "closed"


def with_password(demands: Demands) -> str:
    """Return what is asked of whoever signs up with a password."""
    if not demands.open:
        return f"closed: no page asks for {' or '.join(sorted(demands.unasked))}"
    asked = _asked(demands)
    return f"with a password ({asked})" if asked else "with a password"


def _warnings(hs_config: HomeServerConfig, config: Config) -> Iterator[str]:
    """Say where programs get an account that would be kept from our pages, and what nobody finishes."""
    is_open = hs_config.registration.enable_registration
    asks_here, asks_there = config.captcha.kind, hs_config.captcha.enable_registration_captcha
    if is_open and asks_here and not asks_there:
        yield (
            "captcha.kind asks on the pages only: Synapse's own /register makes accounts without it."
            " Where no client needs that, close it in the proxy"
        )
    if config.invitations.members and not (
        is_open and hs_config.registration.registration_requires_token
    ):
        yield (
            "invitations.members is true, and nobody is asked for a registration token: members are"
            " offered no invitations. Set enable_registration and registration_requires_token to true"
        )
    keys = ("recaptcha_public_key", "recaptcha_private_key")
    missing = [name for name in keys if not getattr(hs_config.captcha, name)]
    if is_open and asks_there and not asks_here and missing:
        yield (
            f"enable_registration_captcha is true without {' and '.join(missing)}: nobody can finish a"
            " sign-up. Set what Google gave you for this site, or captcha.kind to proof_of_work, which"
            " needs no key"
        )


def _asked(demands: Demands) -> str:
    """Return what is asked of everybody, and after it what else is, where one of several is enough."""
    flows = [frozenset(flow & _WORDS.keys()) for flow in demands.open]
    least = [flow for flow in flows if not any(other < flow for other in flows)]
    common = frozenset.intersection(*least)
    either = " or ".join(dict.fromkeys(_listed(flow - common, " and ") for flow in least))
    return ", ".join(filter(None, [_listed(common, ", "), either]))


def _listed(kinds: Iterable[str], between: str) -> str:
    return between.join(words for kind, words in _WORDS.items() if kind in kinds)


@frozen
class _StandIn:
    """As much of a Synapse as says which stages it knows."""

    config: HomeServerConfig

    def get_auth_handler(self) -> Any:
        """Return what knows the stages: this."""
        return self

    def get_enabled_auth_types(self) -> set[str]:
        """Return which stages can be gone through that Synapse must be able to check."""
        found = {EMAIL} if self.config.email.can_verify_email else set()
        if self.config.registration.account_threepid_delegate_msisdn:
            found.add(MSISDN)
        return found
