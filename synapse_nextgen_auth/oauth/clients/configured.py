"""Clients that the operator writes into homeserver.yaml instead of letting them register.

They take the fields of RFC 7591, with an id and perhaps a secret that both sides agreed on.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import attrs

from synapse_nextgen_auth import late
from synapse_nextgen_auth.oauth.clients import authentication, service
from synapse_nextgen_auth.oauth.clients.auth_methods import AuthMethod
from synapse_nextgen_auth.oauth.clients.client_metadata import (
    READ_ONLY,
    Metadata,
    read_metadata,
    wire_names,
)
from synapse_nextgen_auth.oauth.clients.fields import Findings, invalid
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.clients.redirects import RedirectRules
from synapse_nextgen_auth.oauth.clients.service import Service
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants import grant_types
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Secret

if TYPE_CHECKING:
    from synapse_nextgen_auth.oauth.clients import application_service, registration_rules
    from synapse_nextgen_auth.oauth.clients.registration_rules import RegistrationRules
else:
    application_service, registration_rules = late.files(
        "oauth.clients.application_service", "oauth.clients.registration_rules"
    )

_CLIENT_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}")
_SECRETS = ("client_secret", "client_secret_path")
# Besides what agrees on the secret: the fields that a registration reads.
_OWN = frozenset(
    {"client_id", "resource", *_SECRETS, *service.FIELDS, *service.OF_APPLICATION_SERVICES}
)
_KNOWN = frozenset({*_OWN, *wire_names(), *READ_ONLY})
_TYPES = {
    "grant_types": grant_types.CONFIGURABLE,
    "response_types": tuple(grant_types.RESPONSE_TYPES.values()),
}
MIN_SECRET = 16  # characters


@frozen
class StaticClient:
    """A client as it stands in the configuration; the secret is still to be hashed."""

    client: Client
    secret: Secret | None = None


def read_static(raw: object, *, read_file: Callable[[str], str]) -> StaticClient:
    """Read one entry of `clients`; raise one `OAuthError` with all that is wrong with it.

    `read_file` returns the content of `client_secret_path`.
    """
    if not isinstance(raw, dict):
        raise invalid("expected a mapping with client_id and redirect_uris")
    problems: list[OAuthError] = []
    note = Findings(problems).note
    client_id = note(lambda: _client_id(raw), "")
    secret = note(lambda: _secret(raw, read_file), None)
    has_secret = secret is not None or not problems
    metadata = note(
        lambda: read_metadata(_document(raw), rules=_rules(), problems=problems), Metadata()
    )
    note(lambda: _check_names(raw), None)
    for name, known in _TYPES.items():
        _check_types(raw, name, known, problems)
    if has_secret:
        note(lambda: _check_secret(metadata, secret), None)
    is_bridge = any(raw.get(name) is not None for name in service.OF_APPLICATION_SERVICES)
    if is_bridge:
        problems += map(invalid, application_service.refuse(raw, metadata))
    itself = note(lambda: None if is_bridge else _service(raw, metadata, client_id), None)
    usual = note(lambda: _resource(raw), None)
    if problems:
        told = "; ".join(dict.fromkeys(_in_yaml(problem.description) for problem in problems))
        raise attrs.evolve(problems[0], description=told)
    client = Client.of(metadata, client_id=client_id, secret_hash=None, created_at=0)
    bridge = application_service.read(raw) if is_bridge else None
    written = attrs.evolve(
        client,
        is_configured=True,
        service=itself,
        application_service=bridge,
        resource=usual,
    )
    return StaticClient(written, secret)


# A client that registers sends JSON (RFC 7591 section 3.1), an operator writes YAML.
_OF_JSON = "must be an array of strings"
_OF_YAML = "must be a list of texts: begin each entry with a dash"


def _in_yaml(description: str) -> str:
    bare = description.removesuffix(_OF_JSON)
    return description if bare == description else bare + _OF_YAML


@cache
def _rules() -> "RegistrationRules":
    return registration_rules.RegistrationRules(
        grant_types=frozenset(grant_types.CONFIGURABLE),
        redirects=RedirectRules(trusted=True),
    )


def _client_id(raw: dict[str, object]) -> str:
    client_id = raw.get("client_id")
    if not isinstance(client_id, str) or not _CLIENT_ID.fullmatch(client_id):
        raise invalid("client_id must be 1 to 100 letters, digits or . _ ~ -")
    return client_id


def _check_names(raw: dict[str, object]) -> None:
    unknown = [str(name) for name in raw if str(name).partition("#")[0] not in _KNOWN]
    if unknown:
        names = f"option {unknown[0]}" if len(unknown) == 1 else f"options {', '.join(unknown)}"
        raise invalid(f"unknown {names}; known are {', '.join(sorted(_KNOWN))}")


def _check_types(
    raw: dict[str, object], name: str, known: tuple[str, ...], problems: list[OAuthError]
) -> None:
    """Refuse a slip of the pen, which a registration would have to ignore (Client-Server API)."""
    given = raw.get(name)
    for text in given if isinstance(given, list) else ():
        if text not in known:
            reason = f"{name} has the unknown {text}; known are {', '.join(known)}"
            problems.append(invalid(reason))


def _service(raw: dict[str, object], metadata: Metadata, client_id: str) -> Service | None:
    """Read what the client is by itself; what is of no use was meant for something."""
    written = [raw.get(name) for name in service.FIELDS]
    if grant_types.CLIENT_CREDENTIALS in metadata.grant_types:
        account, scope = written
        return service.read(account, scope, client_id=client_id)
    useless = [name for name in service.FIELDS if raw.get(name) is not None]
    if useless:
        raise invalid(
            f"{useless[0]} is of no use without {grant_types.CLIENT_CREDENTIALS} among grant_types"
        )
    return None


def _resource(raw: dict[str, object]) -> str | None:
    """Read the service that the client's tokens are for; the whole configuration knows them."""
    resource = raw.get("resource")
    if resource is not None and not isinstance(resource, str):
        raise invalid("resource must be the URI of one of resource_servers")
    return resource


def _document(raw: dict[str, object]) -> dict[str, object]:
    """Return the entry as registration metadata; without a secret or key, a client is public."""
    document = {name: value for name, value in raw.items() if name not in _OWN}
    has_key = "jwks" in raw or "jwks_uri" in raw
    if has_key:
        document.setdefault("token_endpoint_auth_method", AuthMethod.PRIVATE_KEY_JWT.value)
    elif all(raw.get(name) is None for name in _SECRETS):
        document.setdefault("token_endpoint_auth_method", AuthMethod.NONE.value)
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
    if not authentication.can_be_sent(text):
        raise invalid(f"{given[0]} must be printable ASCII, at most 1024 characters")
    return Secret(text)


def _check_secret(metadata: Metadata, secret: Secret | None) -> None:
    method = metadata.auth_method
    if method.needs_secret and secret is None:
        raise invalid(f"token_endpoint_auth_method {method.value} needs client_secret")
    if secret is not None and not method.needs_secret:
        raise invalid(f"client_secret is of no use with {method.value}")
