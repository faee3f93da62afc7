"""An application service that proves itself by a key and gets a token for a while.

It stands in the configuration, beside the client that has the key; what the service may do stands in
its registration file, as ever (Application Service API, "Registration").
"""

from collections.abc import Iterator, Mapping

from synapse_nextgen_auth.oauth.clients import service
from synapse_nextgen_auth.oauth.clients.auth_methods import AuthMethod
from synapse_nextgen_auth.oauth.clients.client_metadata import Metadata
from synapse_nextgen_auth.oauth.grants.grant_types import CLIENT_CREDENTIALS
from synapse_nextgen_auth.records import frozen

NAME, REFUSE = service.OF_APPLICATION_SERVICES


@frozen
class ApplicationService:
    """Which one it is, by the `id` of its registration, and whether its `as_token` counts no more."""

    service_id: str
    refuses_as_token: bool = False


def refuse(raw: Mapping[str, object], metadata: Metadata) -> Iterator[str]:
    """Say all that is wrong with what an entry of `clients` says of an application service."""
    name, refuses = raw.get(NAME), raw.get(REFUSE)
    if refuses is not None and not isinstance(refuses, bool):
        yield f"{REFUSE} must be true or false"
    if name is None:
        if refuses:
            yield f"{REFUSE} is of no use without {NAME}"
        return
    if not isinstance(name, str) or not name:
        yield f"{NAME} must be the id that stands in the registration of an application service"
    if CLIENT_CREDENTIALS not in metadata.grant_types:
        yield f"{NAME} is of no use without {CLIENT_CREDENTIALS} among grant_types"
    if metadata.auth_method is not AuthMethod.PRIVATE_KEY_JWT:
        yield (
            f"{NAME} needs a key (jwks) and {AuthMethod.PRIVATE_KEY_JWT.value}: a shared secret would"
            " be as_token by another name"
        )
    for field in (*service.FIELDS, "resource"):
        if raw.get(field) is not None:
            yield f"{field} is of no use with {NAME}, whose registration says what it may do"


def read(raw: Mapping[str, object]) -> ApplicationService | None:
    """Return what stands in an entry that nothing is wrong with, `None` if it is of none."""
    name = raw.get(NAME)
    return ApplicationService(name, raw.get(REFUSE) is True) if isinstance(name, str) else None
