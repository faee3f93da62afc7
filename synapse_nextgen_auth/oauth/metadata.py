"""The discovery document (RFC 8414, OpenID Connect Discovery, CS API server metadata)."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from synapse_nextgen_auth.oauth.grants import grant_types
from synapse_nextgen_auth.oauth.grants.authorization import Prompt, ResponseMode
from synapse_nextgen_auth.oauth.scopes.permissions import PERMISSIONS
from synapse_nextgen_auth.oauth.tokens.keys import Algorithm
from synapse_nextgen_auth.records import frozen

if TYPE_CHECKING:
    from synapse_nextgen_auth.oauth.resources import ResourceServer

PREFIX = "/_synapse/client/auth"


@frozen
class Endpoints:
    """Where things are: everything is the issuer plus a fixed name, nothing comes from a request.

    The issuer ends in a slash, because deployed clients resolve `.well-known/openid-configuration`
    relative to it.
    """

    issuer: str

    @classmethod
    def under(cls, public_baseurl: str) -> "Endpoints":
        """Derive the issuer from Synapse's `public_baseurl`."""
        return cls(public_baseurl.rstrip("/") + PREFIX + "/")

    def url(self, path: str) -> str:
        """Return the absolute URL of one of our paths."""
        return self.issuer + path


@frozen
class Abilities:
    """What this server can do, as far as the operator decides it."""

    grant_types: tuple[str, ...]
    auth_methods: tuple[str, ...]
    signing_algorithms: tuple[str, ...]
    registration: bool
    account_actions: tuple[str, ...]
    languages: tuple[str, ...]
    sign_up: bool = False
    acr_values: tuple[str, ...] = ()


def document(endpoints: Endpoints, abilities: Abilities) -> dict[str, object]:
    """Say what we can do; whatever stands here works, and nothing else is advertised."""
    kinds = [grant_types.BY_NAME[name] for name in abilities.grant_types]
    methods, algorithms = list(abilities.auth_methods), list(abilities.signing_algorithms)
    metadata: dict[str, object] = {
        "issuer": endpoints.issuer,
        "authorization_endpoint": endpoints.url("authorize"),
        "token_endpoint": endpoints.url("token"),
        "revocation_endpoint": endpoints.url("revoke"),
        "introspection_endpoint": endpoints.url("introspect"),
        "userinfo_endpoint": endpoints.url("userinfo"),
        "end_session_endpoint": endpoints.url("end-session"),
        "jwks_uri": endpoints.url("keys"),
        "scopes_supported": [one.scope for one in PERMISSIONS if not one.unadvertised],
        "response_types_supported": ["code"],
        "response_modes_supported": [mode.value for mode in ResponseMode],
        "grant_types_supported": [kind.name for kind in kinds if kind.is_advertised],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": [
            prompt.value for prompt in Prompt if prompt is not Prompt.CREATE or abilities.sign_up
        ],
        "authorization_response_iss_parameter_supported": True,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [a.value for a in Algorithm],
        "claims_supported": [
            *(
                "iss",
                "sub",
                "aud",
                "iat",
                "exp",
                "auth_time",
                "amr",
                "acr",
                "nonce",
                "at_hash",
                "sid",
            ),
            *("name", "preferred_username", "picture", "email", "email_verified"),
        ],
        "acr_values_supported": list(abilities.acr_values),
        "ui_locales_supported": list(abilities.languages),
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": [m for m in methods if m != "none"],
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
    }
    metadata |= {
        kind.endpoint.name: endpoints.url(kind.endpoint.path) for kind in kinds if kind.endpoint
    }
    if abilities.account_actions:
        metadata["account_management_uri"] = endpoints.url("account")
        metadata["account_management_actions_supported"] = list(abilities.account_actions)
    if abilities.registration:
        metadata["registration_endpoint"] = endpoints.url("clients/register")
    return metadata


def with_services(
    metadata: dict[str, object], servers: "Sequence[ResourceServer]"
) -> dict[str, object]:
    """Return the document with what services of others may be asked for (RFC 9728 section 4)."""
    if not servers:
        return metadata
    known = [one.scope for one in PERMISSIONS if not one.unadvertised]
    words = [scope.word for server in servers for scope in server.scopes]
    return metadata | {
        "scopes_supported": known + words,
        "protected_resources": [server.resource for server in servers],
    }


def encode(metadata: dict[str, object]) -> bytes:
    """Write the document down once: every path serves these same bytes."""
    return json.dumps(metadata, separators=(",", ":")).encode("utf-8")
