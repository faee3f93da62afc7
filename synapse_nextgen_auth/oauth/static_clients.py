"""Clients that the operator writes into homeserver.yaml instead of letting them register.

They take the fields of RFC 7591, with an id and perhaps a secret that both sides agreed on.
"""

import re
from collections.abc import Callable

import attrs

from synapse_nextgen_auth.oauth import client_auth
from synapse_nextgen_auth.oauth.client_fields import invalid
from synapse_nextgen_auth.oauth.client_metadata import RegistrationRules, read_metadata
from synapse_nextgen_auth.oauth.clients import AuthMethod, Client, Metadata
from synapse_nextgen_auth.oauth.redirects import RedirectRules
from synapse_nextgen_auth.secret import Secret

_CLIENT_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}")
_SECRETS = ("client_secret", "client_secret_path")
_KNOWN = frozenset(
    {
        *("client_id", *_SECRETS, "client_name", "client_uri", "logo_uri", "tos_uri", "policy_uri"),
        *("redirect_uris", "application_type", "grant_types", "response_types", "contacts"),
        *("token_endpoint_auth_method", "token_endpoint_auth_signing_alg", "jwks"),
        "id_token_signed_response_alg",
    }
)
MIN_SECRET = 16  # characters


@attrs.frozen
class StaticClient:
    """A client as it stands in the configuration; the secret is still to be hashed."""

    client: Client
    secret: Secret | None = None


def read_static(raw: object, *, read_file: Callable[[str], str]) -> StaticClient:
    """Read one entry of `clients`; raise `OAuthError` with what is wrong with it.

    `read_file` returns the content of `client_secret_path`.
    """
    if not isinstance(raw, dict):
        raise invalid("expected a mapping with client_id and redirect_uris")
    unknown = [name for name in raw if str(name).partition("#")[0] not in _KNOWN]
    if unknown:
        raise invalid(f"unknown option {unknown[0]}; known are {', '.join(sorted(_KNOWN))}")
    client_id = raw.get("client_id")
    if not isinstance(client_id, str) or not _CLIENT_ID.fullmatch(client_id):
        raise invalid("client_id must be 1 to 100 letters, digits or . _ ~ -")
    secret = _secret(raw, read_file)
    metadata = read_metadata(_document(raw, secret), rules=_RULES)
    _check_secret(metadata, secret)
    client = Client.of(metadata, client_id=client_id, secret_hash=None, created_at=0)
    return StaticClient(client, secret)


_RULES = RegistrationRules(redirects=RedirectRules(trusted=True))


def _document(raw: dict[str, object], secret: Secret | None) -> dict[str, object]:
    """Return the entry as registration metadata; without a secret or key, a client is public."""
    document = {name: value for name, value in raw.items() if name not in {"client_id", *_SECRETS}}
    if secret is None and "jwks" not in raw:
        document.setdefault("token_endpoint_auth_method", AuthMethod.NONE.value)
    if "jwks" in raw:
        document.setdefault("token_endpoint_auth_method", AuthMethod.PRIVATE_KEY_JWT.value)
    return document


def _secret(raw: dict[str, object], read_file: Callable[[str], str]) -> Secret | None:
    given = [name for name in _SECRETS if raw.get(name) is not None]
    if len(given) > 1:
        raise invalid("set either client_secret or client_secret_path, not both")
    if not given:
        return None
    value = raw[given[0]]
    if not isinstance(value, str):
        raise invalid(f"{given[0]} must be a text in quotes")
    text = value if given[0] == "client_secret" else read_file(value).strip()
    if len(text) < MIN_SECRET:
        raise invalid(f"{given[0]} must have at least {MIN_SECRET} characters")
    if not client_auth.can_be_sent(text):
        raise invalid(f"{given[0]} must be printable ASCII, at most 1024 characters")
    return Secret(text)


def _check_secret(metadata: Metadata, secret: Secret | None) -> None:
    method = metadata.auth_method
    if method.needs_secret and secret is None:
        raise invalid(f"token_endpoint_auth_method {method.value} needs client_secret")
    if secret is not None and not method.needs_secret:
        raise invalid(f"client_secret is of no use with {method.value}")
