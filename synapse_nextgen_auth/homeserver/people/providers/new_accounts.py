"""Making an account for somebody whom a provider let in, as Synapse's own pages for it do."""

import enum
from collections.abc import Collection, Mapping

from synapse.api.constants import LoginType
from synapse.api.errors import Codes, LimitExceededError, SynapseError
from synapse.config.homeserver import HomeServerConfig
from synapse.handlers.sso import MappingException, UserAttributes
from synapse.storage.databases.main.registration import ExternalIDReuseException

from synapse_nextgen_auth.accounts.attempts.newcomers import Newcomer
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.people.providers import registrations
from synapse_nextgen_auth.homeserver.people.providers.configured import configured
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.homeserver.startup.settings import Written
from synapse_nextgen_auth.records import frozen

NEEDS = (
    Needed(
        "synapse.handlers.sso",
        "SsoHandler._register_mapped_user",
        ("attributes", "auth_provider_id", "remote_user_id", "user_agent", "ip_address"),
    ),
    Needed(
        "synapse.handlers.sso",
        "SsoHandler.get_sso_user_by_remote_user_id",
        ("auth_provider_id", "remote_user_id"),
    ),
    Needed("synapse.handlers.register", "RegistrationHandler.check_username", ("localpart",)),
    Needed(
        "synapse.handlers.register",
        "RegistrationHandler.post_registration_actions",
        ("user_id", "auth_result", "access_token"),
    ),
    Needed("synapse.api.constants", "LoginType.TERMS"),
    *members(
        "synapse.server",
        "HomeServer",
        "get_datastores",
        "get_registration_handler",
        "get_sso_handler",
    ),
)


class NameProblem(enum.Enum):
    """Why nobody gets an account of this name; a name of others is taken, whoever they are."""

    MISSING = "missing"
    INVALID = "invalid"
    TAKEN = "taken"
    RESERVED = "reserved"
    TOO_OFTEN = "too_often"
    REFUSED = "refused"


# Another name helps.
OF_THE_NAME = frozenset({NameProblem.INVALID, NameProblem.TAKEN, NameProblem.RESERVED})
_OF_CODES: dict[str, NameProblem] = {
    Codes.INVALID_USERNAME: NameProblem.INVALID,
    Codes.USER_IN_USE: NameProblem.TAKEN,
    Codes.EXCLUSIVE: NameProblem.RESERVED,
}


@frozen
class Chosen:
    """What the person decided about the account: its name, and what it takes over from the provider."""

    localpart: str
    use_display_name: bool = False
    use_picture: bool = False
    emails: Collection[str] = ()
    accepts_terms: bool = False


class NewAccounts:
    """Accounts that begin at a provider."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._hs = homeserver.hs
        self._terms = homeserver.hs.config.consent
        self._terms_name = _terms_name(homeserver.hs.config)

    @property
    def terms_version(self) -> str | None:
        """Which version of the terms a new person must accept, if any."""
        if not self._terms.user_consent_at_registration:
            return None
        return str(self._terms.user_consent_version)

    @property
    def terms_url(self) -> str | None:
        """Where these terms are."""
        version = self.terms_version
        return None if version is None else f"/_matrix/consent?v={version}"

    @property
    def terms_name(self) -> str | None:
        """What the operator calls them; `None` where that is left to us."""
        return self._terms_name if self.terms_version is not None else None

    def _registers(self, provider_id: str) -> bool:
        """Say whether it makes accounts, now: the configuration may be another since somebody came."""
        found = configured(self._hs.config)
        return any(
            each.registers and each.provider_id == provider_id.removeprefix("oidc-")
            for each in found
        )

    async def given_problem(self, newcomer: Newcomer) -> NameProblem | None:
        """Say why nobody can get the account of the name that was given: then they choose one.

        Somebody may have taken it since; or it is their own account, made in another tab.
        """
        if newcomer.must_choose:
            return None
        try:
            await self._hs.get_registration_handler().check_username(newcomer.localpart or "")
        except SynapseError as error:
            problem = _OF_CODES.get(error.errcode)
        else:
            return None
        known = await registrations.account_of(
            self._hs.get_datastores().main, (newcomer.provider, newcomer.remote_user_id)
        )
        return problem if known is None else None

    async def make(
        self, newcomer: Newcomer, chosen: Chosen, *, user_agent: str, address: str
    ) -> str | NameProblem:
        """Return the Matrix id of their account: one for each person, however often they press (C246).

        Everything is asked again that Synapse asks of a new account: its rules for names, the modules
        that look for spam, the limit of users.
        """
        sso = self._hs.get_sso_handler()
        person = newcomer.provider, newcomer.remote_user_id
        user_id: str | None = await sso.get_sso_user_by_remote_user_id(*person)
        if user_id is None and not self._registers(newcomer.provider):
            return NameProblem.REFUSED
        if user_id is None:
            try:
                user_id = await sso._register_mapped_user(  # noqa: SLF001 (what its own pages end with)
                    self._attributes(newcomer, chosen), *person, user_agent, address
                )
            except LimitExceededError:
                return NameProblem.TOO_OFTEN
            except MappingException:
                return NameProblem.INVALID
            except SynapseError as error:
                return _OF_CODES.get(error.errcode, NameProblem.REFUSED)
            except ExternalIDReuseException:
                return NameProblem.REFUSED  # they had one a moment ago, and have none now
        accepted = {LoginType.TERMS: True} if chosen.accepts_terms else {}
        await self._hs.get_registration_handler().post_registration_actions(
            user_id, accepted, access_token=None
        )
        return user_id

    def _attributes(self, newcomer: Newcomer, chosen: Chosen) -> UserAttributes:
        # Only addresses that the provider vouches for, whatever a form says.
        return UserAttributes(
            localpart=chosen.localpart if newcomer.must_choose else newcomer.localpart,
            display_name=newcomer.display_name if chosen.use_display_name else None,
            picture=newcomer.picture if chosen.use_picture else None,
            emails=[each for each in newcomer.emails if each in chosen.emails],
        )


def _terms_name(hs_config: HomeServerConfig) -> str | None:
    """Return `user_consent.policy_name` as it was written: Synapse's own default is in English alone."""
    written = Written.of(hs_config).synapses.get("user_consent")
    name = written.get("policy_name") if isinstance(written, Mapping) else None
    return name.strip() or None if isinstance(name, str) else None
