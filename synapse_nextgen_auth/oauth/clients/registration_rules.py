"""Which values a client may register (RFC 7591, MSC2966), and which rule a refused one broke.

Authlib's ClientMetadataClaims does not fit: it takes "https://a.example/b c" for a URI and
com.example.app:/cb for none, fails with a TypeError on wrong types, and knows neither
`application_type` nor localized fields.
"""

import re

import attrs

from synapse_nextgen_auth.oauth import uris
from synapse_nextgen_auth.oauth.clients import jwks, names, redirects
from synapse_nextgen_auth.oauth.clients.auth_methods import AuthMethod
from synapse_nextgen_auth.oauth.clients.fields import Fields, Findings, invalid
from synapse_nextgen_auth.oauth.clients.redirects import NATIVE, WEB, RedirectRules
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants import grant_types
from synapse_nextgen_auth.oauth.grants.grant_types import GRANT_TYPES, GrantType
from synapse_nextgen_auth.oauth.uris import Uri
from synapse_nextgen_auth.oauth.wording import quoted
from synapse_nextgen_auth.records import frozen

APPLICATION_TYPES = (WEB, NATIVE)
ID_TOKEN_ALGORITHMS = ("RS256", "ES256")
MAX_REDIRECT_URIS = 50
MAX_SECONDS = 10**9 - 1
MAX_WORDS = 20
_WORD = re.compile(r"\S{1,255}")


@frozen
class RegistrationRules:
    """What this server supports; grant types beyond these are ignored (Client-Server API)."""

    grant_types: frozenset[str] = frozenset(grant_types.DEFAULT)
    redirects: RedirectRules = attrs.field(factory=RedirectRules)

    def grants(self, kind: GrantType) -> bool:
        """Say whether a client may have this grant type; a stranger's not every one."""
        allowed = kind.may_be_configured if self.redirects.trusted else kind.may_be_registered
        return allowed and kind.name in self.grant_types


@frozen(kw_only=True)
class Reading:
    """A document that is being read, and the values in it that others follow from.

    Make it with `of`. Where something is wrong and kept, there is what stands for it.
    """

    fields: Fields
    rules: RegistrationRules
    found: Findings
    auth_method: AuthMethod
    grant_types: tuple[str, ...]
    response_types: tuple[str, ...]
    redirect_uris: tuple[str, ...]
    application_type: str
    base: Uri | None
    auth_signing_alg: str | None
    jwks: str | None

    @classmethod
    def of(cls, fields: Fields, rules: RegistrationRules, found: Findings) -> "Reading":
        """Read what others follow from; the first mistake in this order is the one that is told."""
        note = found.note
        none: tuple[str, ...] = ()
        nothing: tuple[str | None, str | None] = (None, None)
        note(lambda: fields.texts("contacts"), None)
        auth_method = AuthMethod(note(lambda: _auth_method(fields), AuthMethod.NONE.value))
        granted = note(lambda: _grant_types(fields, rules), (*grant_types.DEFAULT, *none))
        response_types = note(lambda: _response_types(fields, granted), none)
        redirect_uris = note(lambda: _redirect_uris(fields, granted), none)
        application_type = note(lambda: _application_type(fields, redirect_uris, rules), WEB)
        base = note(
            lambda: _base(fields, redirect_uris, application_type, auth_method, rules), None
        )
        _check_redirects(redirect_uris, application_type, base, rules, found)
        signing_alg, keys = note(lambda: _keys(fields, auth_method), nothing)
        return cls(
            fields=fields,
            rules=rules,
            found=found,
            auth_method=auth_method,
            grant_types=granted,
            response_types=response_types,
            redirect_uris=redirect_uris,
            application_type=application_type,
            base=base,
            auth_signing_alg=signing_alg,
            jwks=keys,
        )

    def text(self, name: str) -> str | None:
        """Return a text of which nothing is asked but its type."""
        return self.fields.text(name)

    def id_token_alg(self, name: str) -> str:
        """Return the algorithm that ID tokens are signed with."""
        return _choice(self.fields, name, ID_TOKEN_ALGORITHMS)

    def seconds(self, name: str) -> int | None:
        """Return a number of seconds, as large as one in a request may be."""
        return self.fields.number(name, most=MAX_SECONDS)

    def words(self, name: str) -> tuple[str, ...]:
        """Return words that stand in a parameter, a space between two."""
        said = self.fields.texts(name) or ()
        if len(said) > MAX_WORDS or not all(_WORD.fullmatch(word) for word in said):
            raise invalid(f"{name} must be at most {MAX_WORDS} words without spaces")
        return said

    def name(self, name: str) -> str | None:
        """Return what a client calls itself, in one language or in all."""
        text = (self.fields.text(name) or "").strip()
        reason = names.refuse(text)
        if reason:
            raise invalid(f"{name} {quoted(text)}: {reason}")
        return text or None

    def page(self, name: str) -> str | None:
        """Return the address of a page, which is the client's own."""
        text = self.fields.text(name)
        if text is None:
            return None
        page = _read_page(name, text, self.rules)
        if self.rules.redirects.trusted:
            return text
        if self.base is None:
            raise invalid(
                f"{name} {quoted(text)}: it must be on the host of client_uri, which is missing"
            )
        reason = redirects.refuse_base(page, self.base, self.rules.redirects)
        if reason:
            raise invalid(f"{name} {quoted(text)}: {reason}")
        return text

    def places_after_sign_out(self, name: str) -> tuple[str, ...]:
        """Return where people go once a client signed them out, by the rules of redirect URIs.

        Of somebody who registers by themselves what is not allowed is left out, and the answer says
        so: nobody had to mind these before, and signing in works without them.
        """
        asked = self.fields.texts(name) or ()
        if len(asked) > MAX_REDIRECT_URIS:
            raise invalid(f"{name} must contain at most {MAX_REDIRECT_URIS} URIs")
        allowed = []
        for uri in asked:
            reason = redirects.refuse_registration(
                uri,
                application_type=self.application_type,
                client_uri=self.base,
                rules=self.rules.redirects,
            )
            if reason is None:
                allowed.append(uri)
            elif self.rules.redirects.trusted:
                raise invalid(f"{name} {quoted(uri)}: {reason}")
        return tuple(allowed)


def _auth_method(fields: Fields) -> str:
    return _choice(fields, "token_endpoint_auth_method", _METHODS)


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
