"""What a client may register (RFC 7591, MSC2966), and which rule a refused one broke.

Authlib's ClientMetadataClaims does not fit: it takes "https://a.example/b c" for a URI and
com.example.app:/cb for none, fails with a TypeError on wrong types, and knows neither
`application_type` nor localized fields.
"""

import re

import attrs

from synapse_nextgen_auth.oauth import grant_types, jwks, languages, names, redirects, uris
from synapse_nextgen_auth.oauth.client_fields import Fields, Findings, invalid
from synapse_nextgen_auth.oauth.clients import (
    NATIVE,
    WEB,
    AuthMethod,
    Localized,
    Metadata,
)
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grant_types import GRANT_TYPES, GrantType
from synapse_nextgen_auth.oauth.redirects import RedirectRules
from synapse_nextgen_auth.oauth.uris import Uri
from synapse_nextgen_auth.oauth.wording import quoted

APPLICATION_TYPES = (WEB, NATIVE)
ID_TOKEN_ALGORITHMS = ("RS256", "ES256")
MAX_REDIRECT_URIS = 50
MAX_LOCALIZED = 200

# Of a document, in bytes of UTF-8. Real ones have two thousand.
MAX_DOCUMENT = 16 * 1024
# How long (seconds) a registration is kept that nobody began to sign in with, for public clients and
# others: it costs its sender nothing. One with a secret or a key may have been set up by hand.
KEPT_UNUSED = {True: 24 * 3600, False: 7 * 24 * 3600}

_PAGES = ("logo_uri", "tos_uri", "policy_uri")
_LOCALIZABLE = frozenset({"client_name", "client_uri", *_PAGES})


# A character as JSON may spell it; another backslash before it makes it a text.
_ESCAPE = re.compile(rb"\\\\|\\u([0-9A-Fa-f]{4})")


def refuse_size(body: bytes) -> OAuthError | None:
    """Return why a document is too large; an escaped character counts as what it stands for."""

    def in_utf8(match: re.Match[bytes]) -> bytes:
        return match[0] if match[1] is None else b"x" * _utf8_length(int(match[1], 16))

    if len(_ESCAPE.sub(in_utf8, body)) <= MAX_DOCUMENT:
        return None
    reason = f"the document must not be larger than {MAX_DOCUMENT} bytes in UTF-8"
    return OAuthError("invalid_client_metadata", reason)


def _utf8_length(unit: int) -> int:
    if unit < 0x80:
        return 1
    # Half of a pair is half of four bytes.
    return 2 if unit < 0x800 or 0xD800 <= unit <= 0xDFFF else 3


def kept_unused(metadata: Metadata) -> int:
    """Return for how many seconds a registration is kept that never began a grant."""
    return KEPT_UNUSED[metadata.is_public]


@attrs.frozen
class RegistrationRules:
    """What this server supports; grant types beyond these are ignored (Client-Server API)."""

    grant_types: frozenset[str] = frozenset(grant_types.DEFAULT)
    redirects: RedirectRules = attrs.field(factory=RedirectRules)

    def grants(self, kind: GrantType) -> bool:
        """Say whether a client may have this grant type; a stranger's not every one."""
        allowed = kind.may_be_configured if self.redirects.trusted else kind.may_be_registered
        return allowed and kind.name in self.grant_types


def read_metadata(
    document: object, *, rules: RegistrationRules, problems: list[OAuthError] | None = None
) -> Metadata:
    """Read a decoded registration request; raise what is wrong with it first.

    With `problems`, all that is wrong goes there, and what is returned then is of no use.

    Fields that we do not know are ignored, and so are those that a client does not decide:
    `client_id`, `client_secret` and the like (C171), `software_statement` (C173).
    """
    found, fields = Findings(problems), Fields.of(document)
    note = found.note
    none: tuple[str, ...] = ()
    nothing: tuple[str | None, str | None] = (None, None)
    note(lambda: fields.texts("contacts"), None)  # only its type: people's addresses are of no use
    auth_method = AuthMethod(note(lambda: _auth_method(fields), AuthMethod.NONE.value))
    granted = note(lambda: _grant_types(fields, rules), (*grant_types.DEFAULT, *none))
    response_types = note(lambda: _response_types(fields, granted), none)
    redirect_uris = note(lambda: _redirect_uris(fields, granted), none)
    application_type = note(lambda: _application_type(fields, redirect_uris, rules), WEB)
    base = note(lambda: _base(fields, redirect_uris, application_type, auth_method, rules), None)
    _check_redirects(redirect_uris, application_type, base, rules, found)
    signing_alg, keys = note(lambda: _keys(fields, auth_method), nothing)

    def page(name: str) -> str | None:
        return note(lambda: _page(fields, name, base, rules), None)

    return Metadata(
        redirect_uris=redirect_uris,
        application_type=application_type,
        grant_types=granted,
        response_types=response_types,
        auth_method=auth_method,
        auth_signing_alg=signing_alg,
        jwks=keys,
        id_token_alg=note(lambda: _id_token_alg(fields), ID_TOKEN_ALGORITHMS[0]),
        client_name=note(lambda: _name(fields, "client_name"), None),
        client_uri=note(lambda: fields.text("client_uri"), None),
        logo_uri=page("logo_uri"),
        tos_uri=page("tos_uri"),
        policy_uri=page("policy_uri"),
        localized=_localized(fields, base, rules, found),
    )


def _auth_method(fields: Fields) -> str:
    return _choice(fields, "token_endpoint_auth_method", _METHODS)


def _id_token_alg(fields: Fields) -> str:
    return _choice(fields, "id_token_signed_response_alg", ID_TOKEN_ALGORITHMS)


_METHODS = (
    AuthMethod.SECRET_BASIC.value,
    AuthMethod.SECRET_POST.value,
    AuthMethod.PRIVATE_KEY_JWT.value,
    AuthMethod.NONE.value,
)


def _choice(fields: Fields, name: str, allowed: tuple[str, ...]) -> str:
    """Return the value of a field with few values; the first is the default."""
    value = fields.text(name)
    if value is None:
        return allowed[0]
    if value not in allowed:
        raise invalid(f"{name} {quoted(value)}: it must be one of {', '.join(allowed)}")
    return value


def _grant_types(fields: Fields, rules: RegistrationRules) -> tuple[str, ...]:
    asked = fields.texts("grant_types")
    known = grant_types.DEFAULT if asked is None else asked
    kinds = [kind for kind in GRANT_TYPES if rules.grants(kind)]
    granted = tuple(name for name in known if name in {kind.name for kind in kinds})
    starts = [kind.name for kind in kinds if kind.begins_session]
    if not set(starts) & set(granted):
        raise invalid(f"grant_types must contain {' or '.join(starts)}")
    return granted


def _response_types(fields: Fields, granted: tuple[str, ...]) -> tuple[str, ...]:
    asked = fields.texts("response_types")
    expected: tuple[str, ...] = ()
    for name, response_type in grant_types.RESPONSE_TYPES.items():
        if asked is not None and (response_type in asked) != (name in granted):
            raise invalid(
                f"response_types must contain {response_type} if grant_types contains {name}, "
                "and only then"
            )
        if name in granted:
            expected = (*expected, response_type)
    return expected


def _redirect_uris(fields: Fields, granted: tuple[str, ...]) -> tuple[str, ...]:
    redirect_uris = fields.texts("redirect_uris") or ()
    if not redirect_uris and grant_types.RESPONSE_TYPES.keys() & set(granted):
        raise _invalid_redirect("redirect_uris must contain at least one URI")
    if len(redirect_uris) > MAX_REDIRECT_URIS:
        raise _invalid_redirect(f"redirect_uris must contain at most {MAX_REDIRECT_URIS} URIs")
    return redirect_uris


def _application_type(
    fields: Fields, redirect_uris: tuple[str, ...], rules: RegistrationRules
) -> str:
    """Return whether the client is native; many that can be nothing else do not say so.

    The default of OpenID Registration is "web", which no client can be that has no address on the
    web; such a document would be refused. Where web clients may be on loopback, it is taken as before.
    """
    if fields.text("application_type") is not None or rules.redirects.trusted:
        return _choice(fields, "application_type", APPLICATION_TYPES)
    parsed = [uri for text in redirect_uris if (uri := uris.parse(text))]
    is_app = [uri.is_loopback or redirects.is_private_use(uri) for uri in parsed]
    if not redirect_uris or len(parsed) < len(redirect_uris) or not all(is_app):
        return WEB
    could_be_web = rules.redirects.allow_loopback_web and all(uri.is_loopback for uri in parsed)
    return WEB if could_be_web else NATIVE


def _base(
    fields: Fields,
    redirect_uris: tuple[str, ...],
    application_type: str,
    auth_method: AuthMethod,
    rules: RegistrationRules,
) -> Uri | None:
    """Return the URI whose host stands for the client: `client_uri`.

    A confidential client may leave it out, and where the operator allows it any client; its first
    https redirect URI then binds all the others. One of the configuration need not have either.
    """
    text = fields.text("client_uri")
    if text is not None:
        return _read_client_uri(text, redirect_uris, application_type, rules)
    first = uris.parse(redirect_uris[0]) if redirect_uris else None
    if redirect_uris and not first:
        reason = uris.refuse(redirect_uris[0])
        raise _invalid_redirect(f"redirect_uris {quoted(redirect_uris[0])}: {reason}")
    if rules.redirects.trusted:
        return first
    if rules.redirects.allow_without_client_uri:
        parsed = map(uris.parse, redirect_uris)
        return next((uri for uri in parsed if uri and uri.scheme == "https"), None)
    listed = rules.redirects.listed
    if auth_method is AuthMethod.NONE or not first or uris.refuse_public_https(first, listed):
        raise invalid(
            "client_uri is required: the https address of a page about the client, "
            f"unless {_WITHOUT_CLIENT_URI} is true"
        )
    return first


# The option that would let through what is refused.
_WITHOUT_CLIENT_URI = "client_registration.allow_without_client_uri"


def _read_client_uri(
    text: str, redirect_uris: tuple[str, ...], application_type: str, rules: RegistrationRules
) -> Uri:
    """Return `client_uri`, which for a tool without a website may be the machine that it runs on."""
    uri = uris.parse(text)
    if uri is None or not uri.is_web_on_loopback or uri.has_userinfo or rules.redirects.trusted:
        return _read_page("client_uri", text, rules)
    parsed = map(uris.parse, redirect_uris)
    stays_here = redirect_uris and all(redirect and redirect.is_loopback for redirect in parsed)
    if application_type == NATIVE and stays_here:
        return uri
    return _read_page("client_uri", text, rules)


def _check_redirects(
    redirect_uris: tuple[str, ...],
    application_type: str,
    base: Uri | None,
    rules: RegistrationRules,
    found: Findings,
) -> None:
    def check(uri: str) -> None:
        reason = redirects.refuse_registration(
            uri, application_type=application_type, client_uri=base, rules=rules.redirects
        )
        if reason:
            raise _invalid_redirect(f"redirect_uris {quoted(uri)}: {reason}")

    for uri in redirect_uris:
        found.note(lambda uri=uri: check(uri), None)  # type: ignore[misc]


def _keys(fields: Fields, auth_method: AuthMethod) -> tuple[str | None, str | None]:
    """Return algorithm and public keys of a client that signs assertions (RFC 7523)."""
    algorithm, keys = fields.text("token_endpoint_auth_signing_alg"), fields.document.get("jwks")
    by_reference = fields.text("jwks_uri") is not None
    if keys is not None and by_reference:
        raise invalid("jwks and jwks_uri must not both be there")
    if keys is not None and not isinstance(keys, dict):
        raise invalid("jwks must be an object")
    if auth_method is not AuthMethod.PRIVATE_KEY_JWT:
        return None, None
    if keys is None:
        hint = ", jwks_uri is never fetched" if by_reference else ""
        raise invalid(f"jwks is required with private_key_jwt{hint}")
    reason = jwks.refuse(keys)
    if reason:
        raise invalid(f"jwks: {reason}")
    able = {name for key in keys["keys"] for name in jwks.algorithms(key)}
    if algorithm is not None and algorithm not in able:
        raise invalid(
            f"token_endpoint_auth_signing_alg {quoted(algorithm)}: it must be one of "
            f"{', '.join(jwks.ALGORITHMS)} and fit a key in jwks"
        )
    return algorithm, jwks.canonical(keys)


def _localized(
    fields: Fields, base: Uri | None, rules: RegistrationRules, found: Findings
) -> tuple[Localized, ...]:
    """Read `client_name#fr` and its like; a tag that is none makes it an unknown field (C165)."""

    def read(name: str) -> str | None:
        if name.startswith("client_name"):
            return _name(fields, name)
        return _page(fields, name, base, rules)

    values = []
    for name in fields.document:
        field, _, language = name.partition("#")
        if field in _LOCALIZABLE and languages.is_tag(language):
            value = found.note(lambda name=name: read(name), None)  # type: ignore[misc]
            values += [Localized(field, language, value)] if value else []

    def check() -> None:
        if len(values) > MAX_LOCALIZED:
            raise invalid(f"there must be at most {MAX_LOCALIZED} localized fields")

    found.note(check, None)
    return tuple(sorted(values))


def _name(fields: Fields, name: str) -> str | None:
    text = (fields.text(name) or "").strip()
    reason = names.refuse(text)
    if reason:
        raise invalid(f"{name} {quoted(text)}: {reason}")
    return text or None


def _page(fields: Fields, name: str, base: Uri | None, rules: RegistrationRules) -> str | None:
    text = fields.text(name)
    if text is None:
        return None
    page = _read_page(name, text, rules)
    if rules.redirects.trusted:
        return text
    if base is None:
        raise invalid(
            f"{name} {quoted(text)}: it must be on the host of client_uri, which is missing"
        )
    reason = redirects.refuse_base(page, base, rules.redirects)
    if reason:
        raise invalid(f"{name} {quoted(text)}: {reason}")
    return text


def _read_page(name: str, text: str, rules: RegistrationRules) -> Uri:
    uri = uris.parse(text)
    reason = uris.refuse(text) if uri is None else _refuse_page(uri, rules)
    if reason or uri is None:
        raise invalid(f"{name} {quoted(text)}: {reason}")
    return uri


def _refuse_page(uri: Uri, rules: RegistrationRules) -> str | None:
    if rules.redirects.trusted:
        is_web = uri.scheme in {"https", "http"} and uri.host and not uri.has_userinfo
        return None if is_web else "it must be the http or https address of a page"
    return redirects.refuse_public(uri, rules.redirects)


def _invalid_redirect(reason: str) -> OAuthError:
    return OAuthError("invalid_redirect_uri", reason)
