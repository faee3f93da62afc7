"""How long things live in force: by our options, and by Synapse's own where it has them."""

from synapse.config.homeserver import HomeServerConfig

from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.oauth.sessions import MAX_NOTED_EVERY, SessionLifetimes

_IDLE_WITHOUT_DEVICE = 30 * 86400


def effective_lifetimes(config: Config, hs_config: HomeServerConfig) -> SessionLifetimes:
    """Return the lifetimes in force: our options, and Synapse's own where it has them (seconds)."""
    registration = hs_config.registration
    synapses = _seconds(registration.refreshable_access_token_lifetime)
    idle = _shorter(config.sessions.idle_lifetime, synapses_idle_limit(hs_config))
    access_token = config.tokens.access_token_lifetime or synapses or 300
    without_device = config.sessions.idle_lifetime_without_device or max(
        _IDLE_WITHOUT_DEVICE, access_token + MAX_NOTED_EVERY
    )
    return SessionLifetimes(
        access_token=access_token,
        grace=config.tokens.refresh_grace,
        idle=idle,
        absolute=_shorter(config.sessions.lifetime, _seconds(registration.session_lifetime)),
        idle_without_device=_shorter(idle, without_device),
    )


def synapses_idle_limit(hs_config: HomeServerConfig) -> int | None:
    """Return Synapse's own idle limit of sessions, in seconds."""
    return _seconds(hs_config.registration.refresh_token_lifetime)


def _seconds(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else max(1, milliseconds // 1000)


def _shorter(*lifetimes: int | None) -> int | None:
    return min((lifetime for lifetime in lifetimes if lifetime is not None), default=None)
