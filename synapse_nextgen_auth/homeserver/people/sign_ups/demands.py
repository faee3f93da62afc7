"""Whether this server makes accounts for people with a password, and what it asks of them."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from synapse.rest.client.register import _calculate_registration_flows
from synapse.server import HomeServer

from synapse_nextgen_auth import late
from synapse_nextgen_auth.homeserver.people.providers.configured import configured
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members

if TYPE_CHECKING:
    from synapse_nextgen_auth.accounts.attempts import sign_ups
    from synapse_nextgen_auth.accounts.attempts.sign_ups import Demands
    from synapse_nextgen_auth.accounts.attempts.stages import Stage
else:
    sign_ups = late.file("accounts.attempts.sign_ups")

NEEDS = (
    Needed("synapse.rest.client.register", "_calculate_registration_flows", ("config",)),
    *members("synapse.server", "HomeServer", "get_auth_handler"),
)

# What Synapse puts before the `idp_id` of its configuration.
_PREFIX = "oidc-"


class SignUpRules:
    """What the configuration says of new accounts.

    `pages` are the stages that pages can ask for, `also` what we ask of everybody beside Synapse.
    `is_closed` where nobody newly comes to us any more.
    """

    def __init__(
        self,
        hs: HomeServer,
        *,
        pages: "Callable[[], frozenset[Stage]]",
        also: Callable[[], frozenset[str]] = frozenset,
        is_closed: bool = False,
    ) -> None:
        self._hs = hs
        self._is_closed = is_closed
        self._pages = pages
        self._also = also

    @property
    def by_password(self) -> bool:
        """Whether people make accounts here that they can sign in to with a password."""
        return self.may_finish and not self._is_closed

    @property
    def may_finish(self) -> bool:
        """Whether whoever has begun such an account may have it, though nobody begins any more."""
        options = self._hs.config.auth
        return bool(
            self._hs.config.registration.enable_registration
            and options.password_enabled_for_login
            and options.password_localdb_enabled
        )

    @cached_property
    def providers(self) -> frozenset[str]:
        """The ids of the providers who may bring new people (`enable_registration`)."""
        return frozenset(
            f"{_PREFIX}{each.provider_id}" if each.is_openid else each.provider_id
            for each in configured(self._hs.config)
            if each.registers and not self._is_closed
        )

    @property
    def is_open(self) -> bool:
        """Whether anybody can get an account here by themselves."""
        return (self.by_password and bool(self.demands.open)) or bool(self.providers)

    @cached_property
    def demands(self) -> "Demands":
        """What is asked of whoever signs up with a password, as stock's `/register` asks it."""
        flows = _calculate_registration_flows(self._hs.config, self._hs.get_auth_handler())
        return sign_ups.Demands(
            tuple(map(frozenset, flows)), also=self._also(), pages=self._pages()
        )

    @property
    def adds_pushers(self) -> bool:
        """Whether new accounts with an address have their notifications there at once."""
        options = self._hs.config.email
        return bool(options.email_enable_notifs and options.email_notif_for_new_users)

    @property
    def asks_display_name(self) -> bool:
        """Whether people call themselves what they want (`enable_set_displayname`)."""
        return bool(self._hs.config.registration.enable_set_displayname)
