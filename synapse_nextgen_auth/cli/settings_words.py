"""The settings in effect, as an operator would read them out."""

from synapse.config.homeserver import HomeServerConfig

from synapse_nextgen_auth.config import Config, duration
from synapse_nextgen_auth.homeserver.lifetimes import effective_limits
from synapse_nextgen_auth.oauth.metadata import Endpoints


def settings_in_effect(config: Config, hs_config: HomeServerConfig) -> str:
    """Return one line per setting; no secret is among them."""
    if not config.enabled:
        return "The module is switched off (enabled: false)."
    limits = effective_limits(config, hs_config)
    lines = {
        "issuer": Endpoints.under(hs_config.server.public_baseurl).issuer,
        "access token lifetime": duration(limits.access_token),
        "grace after a refresh": duration(limits.grace),
        "code lifetime": duration(config.tokens.code_lifetime),
        "session, idle": duration(limits.idle),
        "idle without device": duration(limits.idle_without_device),
        "session, in all": duration(limits.absolute),
        "browser, idle": duration(config.sessions.browser_idle_lifetime),
        "browser, in all": duration(config.sessions.browser_lifetime),
        "devices of an account": str(config.sessions.max_devices or "no limit"),
        "consent remembered": duration(config.consent.remember_for),
        "client registration": "open" if config.client_registration.enabled else "closed",
        "configured clients": str(len(config.clients)),
        "keys derived from": _source_of_keys(config),
    }
    width = max(map(len, lines))
    return "\n".join(f"  {name:<{width}}  {value}" for name, value in lines.items())


def _source_of_keys(config: Config) -> str:
    if config.secret_path is not None:
        return config.secret_path
    return "secret" if config.secret is not None else "Synapse's macaroon_secret_key"
