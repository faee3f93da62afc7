"""A client and what it says about itself (RFC 7591 section 2, MSC2966)."""

import enum
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs

from synapse_nextgen_auth import secret
from synapse_nextgen_auth.oauth import grant_types, hosts, languages, redirects, uris
from synapse_nextgen_auth.secret import Secret

WEB, NATIVE = "web", "native"  # the values of application_type


class AuthMethod(str, enum.Enum):
    """How a client proves at our endpoints who it is."""

    NONE = "none"
    SECRET_BASIC = "client_secret_basic"  # noqa: S105 - the name of a method
    SECRET_POST = "client_secret_post"  # noqa: S105 - the name of a method
    PRIVATE_KEY_JWT = "private_key_jwt"

    @property
    def needs_secret(self) -> bool:
        """Whether we have to issue a secret for it."""
        return self in {AuthMethod.SECRET_BASIC, AuthMethod.SECRET_POST}


@attrs.frozen(order=True)
class Localized:
    """One value of a field for readers of one language, `client_name#fr` (RFC 7591 section 2.2)."""

    field: str
    language: str
    value: str


@attrs.frozen(kw_only=True)
class Metadata:
    """What a client registered; the defaults are RFC 7591's, and the refresh token of Matrix.

    `jwks` is canonical JSON text of public keys.
    """

    redirect_uris: tuple[str, ...] = ()
    application_type: str = WEB
    grant_types: tuple[str, ...] = grant_types.DEFAULT
    response_types: tuple[str, ...] = ("code",)
    auth_method: AuthMethod = AuthMethod.SECRET_BASIC
    auth_signing_alg: str | None = None
    jwks: str | None = None
    id_token_alg: str = "RS256"  # noqa: S105 - the name of an algorithm
    client_name: str | None = None
    client_uri: str | None = None
    logo_uri: str | None = None
    tos_uri: str | None = None
    policy_uri: str | None = None
    localized: tuple[Localized, ...] = ()

    @property
    def is_public(self) -> bool:
        """Whether the client cannot keep a secret, so that its id proves nothing."""
        return self.auth_method is AuthMethod.NONE

    @property
    def host(self) -> str | None:
        """The host that the client names first, its page before its redirect URIs.

        What people are shown of somebody who registered is `Client.places`.
        """
        texts = (self.client_uri, *self.redirect_uris[:1])
        parsed = (uris.parse(text) for text in texts if text)
        return next((uri.host for uri in parsed if uri and uri.host), None)

    def text_for(self, field: str, wanted: Sequence[str]) -> str | None:
        """Return a human-readable field in the reader's language, else the one without any."""
        values = {item.language: item.value for item in self.localized if item.field == field}
        language = languages.lookup(values, wanted)
        plain: str | None = getattr(self, field)
        return values[language] if language else plain


@attrs.frozen(kw_only=True)
class Client(Metadata):
    """A client that this server knows: one that registered, or one of the configuration."""

    client_id: str
    secret_hash: str | None = None
    created_at: int = 0
    is_configured: bool = False

    @classmethod
    def of(
        cls, metadata: Metadata, *, client_id: str, secret_hash: str | None, created_at: int
    ) -> "Client":
        """Make the client that registered this metadata."""
        return cls(
            **_fields(metadata),
            client_id=client_id,
            secret_hash=secret_hash,
            created_at=created_at,
        )

    def name_for(self, wanted: Sequence[str], *, redirect_uri: str | None = None) -> str:
        """Return what to call the client for a reader of these languages.

        One that has no name is called by its places (those of a request for this redirect URI).
        """
        name = self.text_for("client_name", wanted)
        if name or self.is_configured:
            return name or self.host or self.client_id
        return ", ".join(place.removesuffix(":") for place in self.places(redirect_uri))

    def places(self, redirect_uri: str | None = None) -> tuple[str, ...]:
        """Return by what people know the client: a host, or the scheme of an app with its colon.

        `client_uri` is its own word: that host stands for it only if every redirect URI fits. Else
        it is where this request sends them; outside of a request, where any could have, the hosts
        on a network first: a stranger does not become an application of one's own by a second
        redirect URI on loopback. What the operator wrote down is not doubted.
        """
        goes_to = tuple(map(redirects.destination, self.redirect_uris))
        if self.is_configured:
            return (self.host or next(iter(goes_to), self.client_id),)
        page = uris.parse(self.client_uri or "")
        if page is not None and page.host and self._all_fit(page):
            return (page.host,)
        if redirect_uri is not None:
            return (redirects.destination(redirect_uri),)
        far = dict.fromkeys(place for place in goes_to if not redirects.stays_here(place))
        owners = tuple(
            place
            for place in far
            if not any(place != base and hosts.is_under(place, base) for base in far)
        )
        return owners or goes_to[:1] or (self.client_id,)

    def page_for(self, field: str, wanted: Sequence[str]) -> str | None:
        """Return a page that the client names, if it is its own (`client_uri`, `tos_uri`, ...).

        Registration compared it with `client_uri`, or else with the first redirect URI on the web:
        so what holds for those holds for it.
        """
        if self.is_configured:
            return self.text_for(field, wanted)
        if self.client_uri:
            base = uris.parse(self.client_uri)
        else:
            parsed = map(uris.parse, self.redirect_uris)
            base = next((uri for uri in parsed if uri and uri.scheme == "https"), None)
        if base is None or not self._all_fit(base):
            return None
        return self.text_for(field, wanted)

    def _all_fit(self, base: uris.Uri) -> bool:
        parsed = tuple(map(uris.parse, self.redirect_uris))
        return all(uri is not None and redirects.speaks_for(base, uri) for uri in parsed)


def document(client: Client, *, issued_secret: Secret | None = None) -> dict[str, object]:
    """Return the answer to a registration (RFC 7591 section 3.2.1): the values in force."""
    body: dict[str, object] = {
        "client_id": client.client_id,
        "client_id_issued_at": client.created_at,
        "redirect_uris": list(client.redirect_uris),
        "application_type": client.application_type,
        "grant_types": list(client.grant_types),
        "response_types": list(client.response_types),
        "token_endpoint_auth_method": client.auth_method.value,
        "token_endpoint_auth_signing_alg": client.auth_signing_alg,
        "jwks": json.loads(client.jwks) if client.jwks else None,
        "id_token_signed_response_alg": client.id_token_alg,
        "client_name": client.client_name,
        "client_uri": client.client_uri,
        "logo_uri": client.logo_uri,
        "tos_uri": client.tos_uri,
        "policy_uri": client.policy_uri,
    }
    body |= {f"{item.field}#{item.language}": item.value for item in client.localized}
    if issued_secret is not None:
        body |= {"client_secret": issued_secret.reveal(), "client_secret_expires_at": 0}
    return {name: value for name, value in body.items() if value is not None}


def to_json(metadata: Metadata) -> str:
    """Write metadata down for the store, as UTF-8; of a client, only its metadata."""
    return json.dumps(_fields(metadata), default=attrs.astuple, sort_keys=True, ensure_ascii=False)


def from_json(text: str) -> Metadata:
    """Read back what `to_json` wrote, also by a version with more or fewer fields."""
    known = {field.name for field in attrs.fields(Metadata)}
    fields = {name: value for name, value in json.loads(text).items() if name in known}
    readers = {name: reader for name, reader in _READERS.items() if name in fields}
    return Metadata(**fields | {name: reader(fields[name]) for name, reader in readers.items()})


def digest(metadata: Metadata) -> str:
    """Return a digest of all metadata, the same for every order of keys and arrays (C166).

    Ids follow from it, so the text under the digest stays as it is, escapes included.
    It is the same for every loopback port of a native client, too: that changes from run to run.
    """
    fields = _fields(metadata)
    if metadata.application_type == NATIVE:
        portless = {redirects.without_port(uri) or uri for uri in metadata.redirect_uris}
        fields["redirect_uris"] = tuple(portless)
    unordered = {
        name: sorted(value) if isinstance(value, tuple) else value for name, value in fields.items()
    }
    return secret.digest(json.dumps(unordered, default=attrs.astuple, sort_keys=True))


def _localized(rows: Iterable[Sequence[str]]) -> tuple[Localized, ...]:
    return tuple(Localized(*row) for row in rows)


_READERS: dict[str, Callable[[Any], object]] = {
    "redirect_uris": tuple,
    "grant_types": tuple,
    "response_types": tuple,
    "auth_method": AuthMethod,
    "localized": _localized,
}


def _fields(metadata: Metadata) -> dict[str, Any]:
    return {field.name: getattr(metadata, field.name) for field in attrs.fields(Metadata)}
