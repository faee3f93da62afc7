"""Which client speaks at an endpoint, proven in the way it registered (RFC 6749 section 2.3)."""

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from synapse_nextgen_auth import late
from synapse_nextgen_auth.homeserver.http import Incoming
from synapse_nextgen_auth.homeserver.threads import in_thread
from synapse_nextgen_auth.oauth.clients import authentication
from synapse_nextgen_auth.oauth.clients.auth_methods import AuthMethod
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.errors import OAuthError, invalid_client
from synapse_nextgen_auth.oauth.grants.grant_types import BY_NAME
from synapse_nextgen_auth.secret import Secret
from synapse_nextgen_auth.web.site import Site

if TYPE_CHECKING:
    from synapse_nextgen_auth.store import assertions
else:
    assertions = late.file("store.assertions")


# Client secrets are 256 random bits: the hash needs no work factor against guessing, it keeps a
# reader of the database from using them.
@lru_cache(maxsize=1)
def _hasher() -> Any:
    import argon2  # noqa: PLC0415 (no start waits for it)

    return argon2.PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)


@lru_cache(maxsize=1)
def _nobody() -> Client:
    """Return who stands in for a client that is not known, with a secret to compare with."""
    return Client(
        client_id="",
        auth_method=AuthMethod.SECRET_BASIC,
        secret_hash=_hasher().hash("a secret that no client has"),
    )


def hash_secret(secret: Secret) -> str:
    """Return what the database keeps of a client's secret."""
    made: str = _hasher().hash(secret.reveal())
    return made


def verify_secret(secret_hash: str, secret: str) -> bool:
    """Say whether this is the secret; never raises for a wrong or broken one."""
    import argon2  # noqa: PLC0415 (as above)

    try:
        return bool(_hasher().verify(secret_hash, secret))
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


async def authenticate(site: Site, incoming: Incoming, form: Mapping[str, str]) -> Client:
    """Return the client that sends this request; raise `invalid_client` for every doubt.

    An unknown client and a wrong secret cost the same and answer the same (C091).
    """
    if incoming.has_header("Authorization") and incoming.header("Authorization") is None:
        raise invalid_client("the Authorization header is repeated or not ASCII")
    credentials = authentication.read(incoming.header("Authorization"), form)
    kind = BY_NAME.get(form.get("grant_type", ""))
    is_kept = kind is not None and kind.waits_here
    client = await site.clients.find(credentials.client_id, is_kept=is_kept)
    check = partial(
        authentication.authenticate,
        client or _nobody(),
        credentials,
        audience=(site.issuer.identifier, site.issuer.endpoints.url("token")),
        now=site.now(),
        verify_secret=verify_secret,
    )
    if credentials.method is AuthMethod.NONE:  # nothing to hash or verify
        accepted = check()
    else:
        accepted = await in_thread(site.homeserver.hs, check)
    if client is None:
        raise invalid_client("unknown client")
    if accepted.jti is not None and not await site.homeserver.run(
        assertions.spend,
        client_id=client.client_id,
        jti=accepted.jti,
        expires_at=accepted.expires_at or site.now(),
    ):
        raise invalid_client("the assertion was used before")
    return client


def basic_challenge(incoming: Incoming, refusal: OAuthError) -> tuple[tuple[str, str], ...]:
    """Return the header that RFC 6749 section 5.2 wants when a client tried Basic."""
    tried = incoming.has_header("Authorization")
    if refusal.code == "invalid_client" and tried:
        return (("WWW-Authenticate", 'Basic realm="synapse_nextgen_auth"'),)
    return ()
