"""The grant types of the token endpoint; each must be what `oauth/grants/grant_types.py` says of it."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING

from synapse_nextgen_auth import late
from synapse_nextgen_auth.oauth.grants.grant_types import (
    AUTHORIZATION_CODE,
    BY_NAME,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    REFRESH_TOKEN,
    GrantType,
)
from synapse_nextgen_auth.web.endpoints.token import refresh_token
from synapse_nextgen_auth.web.endpoints.token.exchange import Exchange, NewSession

if TYPE_CHECKING:
    from synapse_nextgen_auth.web.endpoints.token import (
        authorization_code,
        client_credentials,
        device_code,
    )
else:
    authorization_code, client_credentials, device_code = late.files(
        "web.endpoints.token.authorization_code",
        "web.endpoints.token.client_credentials",
        "web.endpoints.token.device_code",
    )

# The file of each: its `EXCHANGE` is what it does.
FILES = {
    AUTHORIZATION_CODE: authorization_code,
    REFRESH_TOKEN: refresh_token,
    DEVICE_CODE: device_code,
    CLIENT_CREDENTIALS: client_credentials,
}
if FILES.keys() != BY_NAME.keys():
    raise ValueError(f"grant types in one place only: {sorted(FILES.keys() ^ BY_NAME.keys())}")


@cache
def find(name: str) -> tuple[GrantType, Exchange] | None:
    """Return both halves of a grant type, which are compared once; `None` where it is not known."""
    if name not in FILES:
        return None
    return checked((FILES[name].EXCHANGE,), (BY_NAME[name],))[name]


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
    somebody_agrees = kind.a_person_agrees or kind.the_operator_agrees
    if isinstance(exchange, NewSession) and not (somebody_agrees or exchange.only_new_device):
        raise ValueError(f"{kind.name}: nobody agrees that it takes over a device")
