"""The providers that a configuration names, before Synapse has made anything of it."""

from collections.abc import Iterator

from synapse.config.homeserver import HomeServerConfig

from synapse_nextgen_auth.records import frozen

_OPENID = "OpenID Connect"


@frozen
class Configured:
    """A provider: its id as hints and options have it, its name, and which kind it is.

    `registers` says whether whoever it lets in may become a new account (`enable_registration`).
    `proves_afresh` says whether it can be asked to let the person prove anew who they are.
    """

    provider_id: str
    name: str
    kind: str
    registers: bool = True
    proves_afresh: bool = True

    @property
    def is_openid(self) -> bool:
        """Whether it is one of `oidc_providers`."""
        return self.kind == _OPENID

    def __str__(self) -> str:
        """Say it in a line of several."""
        return f"{self.name} ({self.kind}, {self.provider_id})"


def configured(hs_config: HomeServerConfig) -> Iterator[Configured]:
    """Yield the providers, in the order in which Synapse makes them."""
    if hs_config.cas.cas_enabled:
        name, registers = str(hs_config.cas.idp_name), hs_config.cas.cas_enable_registration
        yield Configured("cas", name, "CAS", registers=registers)
    if hs_config.saml2.saml2_enabled:
        yield Configured("saml", str(hs_config.saml2.idp_name), "SAML")
    for provider in hs_config.oidc.oidc_providers:
        yield Configured(
            provider.idp_id.removeprefix("oidc-"),
            provider.idp_name,
            _OPENID,
            registers=provider.enable_registration,
            # OAuth 2.0 alone has no `auth_time`.
            proves_afresh="openid" in provider.scopes,
        )
