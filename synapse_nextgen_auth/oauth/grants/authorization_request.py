"""The authorization request (RFC 6749 section 4.1.1, OIDC Core 3.1.2).

Two kinds of refusal, two types, so that an unverified `redirect_uri` cannot be redirected to by
accident: `Displayed` is shown to the person here, `Redirected` travels to the client.
"""

import enum
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from synapse_nextgen_auth import late
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.errors import OAuthError, invalid_request
from synapse_nextgen_auth.oauth.grants import pkce
from synapse_nextgen_auth.oauth.grants.authorization import Prompt, ResponseMode
from synapse_nextgen_auth.oauth.grants.authorization_answer import Target, modes
from synapse_nextgen_auth.oauth.grants.grant_types import AUTHORIZATION_CODE
from synapse_nextgen_auth.oauth.grants.parameters import Parameters
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.scopes.grammar import Scope
from synapse_nextgen_auth.oauth.scopes.permissions import MAS_ADMIN
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import digest

if TYPE_CHECKING:
    from synapse_nextgen_auth.oauth import resources as resources_file
    from synapse_nextgen_auth.oauth.grants import claims
    from synapse_nextgen_auth.oauth.grants.claims import Claims
    from synapse_nextgen_auth.oauth.resources import Asked, Resources
else:
    claims, resources_file = late.files("oauth.grants.claims", "oauth.resources")

MAX_STATE = 4096  # characters
_MAX_VALUE = 2048
_MAX_AGE = re.compile(r"[0-9]{1,9}")
_REFUSED_PARAMETERS = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}


class Problem(enum.Enum):
    """What keeps us from sending the person anywhere."""

    UNKNOWN_CLIENT = "unknown_client"
    BLOCKED_CLIENT = "blocked_client"
    BAD_REDIRECT_URI = "bad_redirect_uri"


# OpenID Connect Core Error Code unmet_authentication_requirements 1.0; RFC 9470 section 5.
UNMET = "unmet_authentication_requirements"

# What a request is refused for, beside what is wrong with any client or scope; for the metrics.
REFUSES = frozenset(
    {
        *("access_denied", "account_selection_required", "consent_required", "login_required"),
        "unsupported_response_type",
        UNMET,
        "invalid_target",
    }
    | {problem.value for problem in Problem}
    | set(_REFUSED_PARAMETERS.values())
)


@frozen
class Displayed(Exception):
    """A refusal shown on a page of ours; `detail` is for the client's developer."""

    problem: Problem
    detail: str


@frozen
class Redirected(Exception):
    """A refusal that travels to the client."""

    error: OAuthError
    target: Target


@frozen
class Request:
    """An authorization request that is in order."""

    target: Target
    scope: Scope
    resource_scope: str | None
    code_challenge: str | None
    nonce: str | None
    prompts: frozenset[Prompt]
    max_age: int | None
    login_hint: str | None
    idp_hint: str | None
    acr_values: str | None
    id_token_hint: str | None
    ui_locales: str | None
    claims: "Claims"

    @property
    def is_silent(self) -> bool:
        """Say whether no page may be shown (`prompt=none`)."""
        return Prompt.NONE in self.prompts

    @property
    def wants_new_account(self) -> bool:
        """Say whether the person is to create an account, whoever is signed in (`prompt=create`)."""
        return Prompt.CREATE in self.prompts

    def login_after(self, now: int) -> int | None:
        """Return the time since when the person must have signed in, `None` for any time.

        For a fresh sign-in it lies ahead, so that one of this very second does not count.
        """
        if Prompt.LOGIN in self.prompts or self.max_age == 0:
            return now + 1
        return None if self.max_age is None else now - self.max_age


def find_target(
    parameters: Parameters, client: Client | None, *, is_blocked: bool = False
) -> Target:
    """Find out where answers may go; before this succeeded nothing is redirected (C011, C013).

    `is_blocked`: there is no client, because whoever runs the server shut it out.
    """
    if client is None and is_blocked:
        raise Displayed(
            Problem.BLOCKED_CLIENT,
            f"client_id {_quoted(parameters.get('client_id'))} was blocked by whoever runs this server",
        )
    if client is None:
        raise Displayed(
            Problem.UNKNOWN_CLIENT,
            "client_id is repeated"
            if "client_id" in parameters.repeated
            else f"client_id {_quoted(parameters.get('client_id'))} is not registered here",
        )
    presented = parameters.get("redirect_uri")
    if presented is None:
        raise Displayed(Problem.BAD_REDIRECT_URI, "redirect_uri is missing or repeated")
    if not client.comes_back_to(presented):
        raise Displayed(
            Problem.BAD_REDIRECT_URI,
            f"redirect_uri {_quoted(presented)} is not one that this client registered:"
            " they are compared character by character, only the port of a loopback URI may differ",
        )
    return Target(presented, _response_mode(parameters, presented), parameters.get("state"))


def read_request(
    parameters: Parameters,
    client: Client,
    target: Target,
    *,
    pkce_optional: bool = False,
    resources: "Resources | None" = None,
) -> Request:
    """Check everything else; raise what the client did wrong as `Redirected`."""
    try:
        return _read_request(
            parameters, client, target, pkce_optional=pkce_optional, resources=resources
        )
    except OAuthError as error:
        raise Redirected(error, target) from error


def _read_request(
    parameters: Parameters,
    client: Client,
    target: Target,
    *,
    pkce_optional: bool,
    resources: "Resources | None",
) -> Request:
    _check_form(parameters, target)
    _check_response_type(parameters, client)
    asked = claims.read(parameters.get("claims"))
    wanted = _wanted(parameters, resources)
    scope = _with_claims(wanted.scope, asked)
    challenge = parameters.get("code_challenge")
    may_omit = pkce_optional and not client.is_public and not scope.api
    if challenge is not None or not may_omit:
        reason = pkce.refuse_challenge(challenge, parameters.get("code_challenge_method"))
        if reason:
            raise invalid_request(reason)
    max_age = _max_age(parameters.get("max_age"))
    return Request(
        target=target,
        scope=scope,
        resource_scope=wanted.words,
        code_challenge=challenge,
        nonce=parameters.get("nonce"),
        prompts=_prompts(parameters.get("prompt")),
        max_age=client.default_max_age if max_age is None else max_age,
        login_hint=_hint(parameters, "login_hint"),
        idp_hint=_hint(parameters, "idp_hint") or _hint(parameters, "kc_idp_hint"),
        acr_values=" ".join((parameters.get("acr_values") or "").split()) or None,
        claims=_with_defaults(asked, client),
        id_token_hint=parameters.get("id_token_hint"),
        ui_locales=_hint(parameters, "ui_locales"),
    )


def _wanted(parameters: Parameters, known: "Resources | None") -> "Asked":
    """Return what is asked for, here and at services of others (RFC 8707 section 2.1)."""
    if "resource" in parameters.repeated:
        raise resources_file.invalid_target("resource is repeated: a request is for one of them")
    resource, scope = parameters.get("resource"), parameters.get("scope") or ""
    if MAS_ADMIN in scope.split(" "):
        scope = grammar.with_device(scope, _device_of_a_tool(parameters))
    return (known or resources_file.Resources("")).asked(scope, resource)


def _device_of_a_tool(parameters: Parameters) -> str:
    """Return the device of a request by a tool for administrators that names none.

    matrix-authentication-service lets them have the whole API without one; here each sign-in has its
    own, and the answer of the token endpoint tells which.
    """
    said = [parameters.get(each) or "" for each in ("client_id", "code_challenge", "state")]
    return f"ADMIN{digest(' '.join(said))[:12].upper()}"


def _with_claims(scope: Scope, asked: "Claims") -> Scope:
    """Return what is asked for of this server: a single claim of `/userinfo` by the scope for it."""
    more = [each for each in asked.scopes if each not in scope.tokens]
    return grammar.parse(" ".join((*scope.tokens, *more))) if more and scope.openid else scope


def _with_defaults(asked: "Claims", client: Client) -> "Claims":
    """Return what a request asks of `acr`, or else what its client registered, which need not be met."""
    if asked.acr or not client.default_acr_values:
        return asked
    return attrs.evolve(asked, acr=client.default_acr_values)


def _hint(parameters: Parameters, name: str) -> str | None:
    """Return what only helps; nobody is turned away because it is too long to be kept."""
    hint = parameters.get(name)
    return hint if hint and len(hint) <= _MAX_VALUE else None


def _response_mode(parameters: Parameters, redirect_uri: str) -> ResponseMode:
    """Return the mode asked for, or the default by which a bad one is reported.

    A request object is refused whatever it says, but its client listens where it says there.
    """
    allowed = modes(redirect_uri)
    for asked in (_mode_within(parameters.get("request")), parameters.get("response_mode")):
        if asked in allowed:
            return ResponseMode(asked)
    return ResponseMode.QUERY


def _mode_within(request_object: str | None) -> object:
    """Return the `response_mode` in a request object, read without trust and for this alone.

    It supersedes the parameter beside it (OpenID Connect Core section 6.1).
    """
    parts = (request_object or "").split(".")
    if len(parts) != 3:
        return None
    try:
        said = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    mode = said.get("response_mode") if isinstance(said, dict) else None
    return mode if isinstance(mode, str) else None


def _check_form(parameters: Parameters, target: Target) -> None:
    for name in sorted(parameters.repeated & _KNOWN):
        raise invalid_request(f"{name} is repeated")
    for name, code in _REFUSED_PARAMETERS.items():
        if parameters.get(name) is not None:
            raise OAuthError(code, f"{name} is not supported")
    mode = parameters.get("response_mode")
    allowed = modes(target.redirect_uri)
    if mode is not None and mode not in allowed:
        raise invalid_request(f"response_mode must be one of {', '.join(sorted(allowed))}")
    if len(parameters.get("state") or "") > MAX_STATE:
        raise invalid_request(f"state is longer than {MAX_STATE} characters")
    for name in sorted(_KNOWN - _ONLY_HINTS):
        if len(parameters.get(name) or "") > _MAX_VALUE:
            raise invalid_request(f"{name} is longer than {_MAX_VALUE} characters")


def _check_response_type(parameters: Parameters, client: Client) -> None:
    response_type = parameters.get("response_type")
    if response_type is None:
        raise invalid_request("response_type is missing")
    if response_type != "code":
        raise OAuthError("unsupported_response_type", "response_type must be code")
    if AUTHORIZATION_CODE not in client.grant_types or "code" not in client.response_types:
        raise OAuthError(
            "unauthorized_client", "This client did not register the authorization_code grant"
        )


def _prompts(text: str | None) -> frozenset[Prompt]:
    names: Sequence[str] = (text or "").split(" ") if text else ()
    known = {prompt.value: prompt for prompt in Prompt}
    if any(name not in known for name in names):
        raise invalid_request(f"prompt must be made of {', '.join(known)}")
    prompts = frozenset(known[name] for name in names)
    if Prompt.NONE in prompts and len(prompts) > 1:
        raise invalid_request("prompt none goes with no other")
    return prompts


def _max_age(text: str | None) -> int | None:
    if text is None:
        return None
    # The pattern comes first: Python raises on numbers of more than 4300 digits (C025).
    if not _MAX_AGE.fullmatch(text):
        raise invalid_request("max_age must be a number of seconds with at most 9 digits")
    return int(text)


def _quoted(value: str | None) -> str:
    return "(missing)" if value is None else repr(value[:200])


_ONLY_HINTS = {
    *("state", "ui_locales", "login_hint", "id_token_hint", "idp_hint", "kc_idp_hint"),
}
_KNOWN = frozenset(
    {
        *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state"),
        *("code_challenge", "code_challenge_method", "nonce", "prompt", "max_age"),
        *(
            "login_hint",
            "id_token_hint",
            "idp_hint",
            "kc_idp_hint",
            "ui_locales",
            "acr_values",
            "claims",
            *_REFUSED_PARAMETERS,
        ),
    }
)
