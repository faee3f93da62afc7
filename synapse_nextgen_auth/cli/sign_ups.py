"""Who gets an account on the pages, and what they are asked, as `check-config` says it."""

from typing import Any

import attrs
from synapse.config.homeserver import HomeServerConfig

from synapse_nextgen_auth.accounts.attempts.sign_ups import CAPTCHA, EMAIL, MSISDN, TYPES
from synapse_nextgen_auth.accounts.attempts.stages import Stage
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.homeserver.people.sign_ups.demands import SignUpRules
from synapse_nextgen_auth.web.sign_ups import PAGES

_WORDS = {
    Stage.CAPTCHA: "captcha",
    Stage.EMAIL: "e-mail address",
    Stage.MSISDN: "phone number",
    Stage.TERMS: "terms",
}


@attrs.frozen
class SignUps:
    """What was found, in words; `missing` is what people would be asked for and there is no page for."""

    words: str
    missing: tuple[str, ...] = ()

    @property
    def warnings(self) -> list[str]:
        """Say that a stage has no page, so that nobody gets an account."""
        if not self.missing:
            return []
        return [
            f"Nobody can create an account on the pages of this module: there is none that asks for"
            f" the {' or the '.join(self.missing)}, as homeserver.yaml demands. /register goes on"
            " as before."
        ]


def look(hs_config: HomeServerConfig, config: Config) -> SignUps:
    """Return what is asked of new people with this configuration."""
    rules = SignUpRules(
        _StandIn(hs_config),  # type: ignore[arg-type]  # as much of it as is asked
        pages=PAGES,
        also=frozenset({CAPTCHA} if config.captcha.kind else ()),
        is_closed=config.drain,
    )
    others = [f"people of {each}" for each in sorted(rules.providers)]
    if not rules.by_password:
        return SignUps(", ".join(others) or "closed")
    demands = rules.demands
    if not demands.open:
        demanded = frozenset.intersection(*demands.flows) | demands.also
        without = [
            stage for stage, kind in TYPES.items() if kind in demanded and stage not in PAGES
        ]
        return SignUps(", ".join(others) or "closed", tuple(_WORDS[each] for each in without))
    asked = ["registration token"] if demands.needs_token else []
    asked += [
        _WORDS[stage] for stage, kind in TYPES.items() if all(kind in flow for flow in demands.open)
    ]
    own = f"with a password ({', '.join(asked)})" if asked else "with a password"
    return SignUps(", ".join([own, *others]))


@attrs.frozen
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
