"""The grant types of the token endpoint; each must be what `oauth/grants/grant_types.py` says of it."""

from collections.abc import Collection, Mapping

from synapse_nextgen_auth.oauth.grants.grant_types import GRANT_TYPES, GrantType
from synapse_nextgen_auth.web.endpoints.token import (
    authorization_code,
    device_code,
    refresh_token,
)
from synapse_nextgen_auth.web.endpoints.token.exchange import Exchange, NewSession


def checked(
    exchanges: Collection[Exchange], kinds: Collection[GrantType]
) -> Mapping[str, tuple[GrantType, Exchange]]:
    """Return both halves of each grant type by its name; raise `ValueError` if they do not agree.

    Nothing is handed out on the word of one of them.
    """
    listed, written = {kind.name: kind for kind in kinds}, {each.name: each for each in exchanges}
    if len(written) < len(exchanges) or listed.keys() != written.keys():
        raise ValueError(f"grant types in one place only: {sorted(listed.keys() ^ written.keys())}")
    for name, kind in listed.items():
        if kind.begins_session is not isinstance(written[name], NewSession):
            raise ValueError(f"{name}: does it begin a session?")
        if kind.gives_refresh_token is not written[name].gives_refresh_token:
            raise ValueError(f"{name}: does it give a refresh token?")
        _check_device(kind, written[name])
    return {name: (kind, written[name]) for name, kind in listed.items()}


def _check_device(kind: GrantType, exchange: Exchange) -> None:
    """Leave devices to those who have them where no person was told that one is taken over."""
    if isinstance(exchange, NewSession) and not (kind.a_person_agrees or exchange.only_new_device):
        raise ValueError(f"{kind.name}: nobody agrees that it takes over a device")


EXCHANGES = checked(
    (authorization_code.EXCHANGE, refresh_token.EXCHANGE, device_code.EXCHANGE), GRANT_TYPES
)
