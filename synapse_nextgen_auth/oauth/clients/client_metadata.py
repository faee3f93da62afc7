"""What a client registers (RFC 7591 section 2, MSC2966): each field is described once, here.

A field says what it is called in a document, how it is read, and how it is stored and told. What
holds between fields is in `client_rules`.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from synapse_nextgen_auth import late, secret
from synapse_nextgen_auth.oauth import languages, uris
from synapse_nextgen_auth.oauth.clients import redirects
from synapse_nextgen_auth.oauth.clients.auth_methods import AuthMethod
from synapse_nextgen_auth.oauth.clients.fields import Fields, Findings, invalid
from synapse_nextgen_auth.oauth.clients.redirects import NATIVE, WEB
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants import grant_types
from synapse_nextgen_auth.oauth.languages import Localized
from synapse_nextgen_auth.records import frozen

if TYPE_CHECKING:
    from synapse_nextgen_auth.oauth.clients import registration_rules
    from synapse_nextgen_auth.oauth.clients.registration_rules import Reading, RegistrationRules
else:
    registration_rules = late.file("oauth.clients.registration_rules")

T = TypeVar("T")

MAX_LOCALIZED = 200
# What is read of a document and not kept: people's addresses are of no use, and nothing is fetched.
READ_ONLY = ("contacts", "jwks_uri")

# Of a document, in bytes of UTF-8. Real ones have two thousand.
MAX_DOCUMENT = 16 * 1024
# How long (seconds) a registration is kept that nobody began to sign in with, for public clients and
# others: it costs its sender nothing. One with a secret or a key may have been set up by hand.
KEPT_UNUSED = {True: 24 * 3600, False: 7 * 24 * 3600}

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


def kept_unused(metadata: "Metadata") -> int:
    """Return for how many seconds a registration is kept that never began a grant."""
    return KEPT_UNUSED[metadata.is_public]


@frozen
class Form:
    """How a value is stored and told: `load` takes what JSON gives back, `tell` is for the client.

    `has_ports` says that a loopback port in it is that of the moment.
    """

    load: Callable[[Any], Any]
    tell: Callable[[Any], object]
    has_ports: bool = False


def _same(value: Any) -> Any:
    return value


def _languages(rows: Iterable[Sequence[str]]) -> tuple[Localized, ...]:
    return tuple(Localized(*row) for row in rows)


PLAIN = Form(_same, _same)
TEXTS = Form(tuple, list)
URIS = Form(tuple, list, has_ports=True)
METHOD = Form(AuthMethod, lambda method: method.value)
KEYS = Form(_same, lambda text: json.loads(text) if text else None)
LANGUAGES = Form(_languages, _same)


@frozen(kw_only=True)
class Member:
    """What is said of a field beside its default.

    `wire_name` is its name in a document, and `read` takes that name; `localized` takes it with a
    language behind it, where there may be one.

    `is_always_there`: stored, told and part of the digest with its default, too, as all fields of
    the first release are. A later one is not, so that nobody's id changes.
    """

    wire_name: str | None
    read: Callable[["Reading", str], object]
    localized: Callable[["Reading", str], str | None] | None
    form: Form
    is_always_there: bool


def member(
    wire_name: str | None,
    read: Callable[["Reading", str], T],
    *,
    default: T,
    localized: Callable[["Reading", str], str | None] | None = None,
    form: Form | None = None,
    is_always_there: bool = False,
) -> T:
    """Declare a field of `Metadata`."""
    declared = Member(
        wire_name=wire_name,
        read=read,
        localized=localized,
        form=form or (TEXTS if isinstance(default, tuple) else PLAIN),
        is_always_there=is_always_there,
    )
    field: Any = attrs.field(default=default, metadata={_MEMBER: declared})
    return field  # type: ignore[no-any-return]  # attrs makes the value of it


_MEMBER = "member"


def _every_language(reading: "Reading", _: str) -> tuple[Localized, ...]:
    """Read `client_name#fr` and its like; a tag that is none makes it an unknown field (C165)."""
    readers = {member.wire_name: member.localized for _, member in members()}
    values = []
    for name in reading.fields.document:
        field, _, language = name.partition("#")
        read = readers.get(field)
        if read is not None and languages.is_tag(language):
            value = reading.found.note(lambda read=read, name=name: read(reading, name), None)  # type: ignore[misc]
            values += [Localized(field, language, value)] if value else []
    if len(values) > MAX_LOCALIZED:
        raise invalid(f"there must be at most {MAX_LOCALIZED} localized fields")
    return tuple(sorted(values))


@frozen(kw_only=True)
class Metadata:
    """What a client registered; the defaults are RFC 7591's, and the refresh token of Matrix.

    `jwks` is canonical JSON text of public keys.
    """

    redirect_uris: tuple[str, ...] = member(
        "redirect_uris",
        lambda reading, _: reading.redirect_uris,
        default=(),
        form=URIS,
        is_always_there=True,
    )
    application_type: str = member(
        "application_type",
        lambda reading, _: reading.application_type,
        default=WEB,
        is_always_there=True,
    )
    grant_types: tuple[str, ...] = member(
        "grant_types",
        lambda reading, _: reading.grant_types,
        default=grant_types.DEFAULT,
        is_always_there=True,
    )
    response_types: tuple[str, ...] = member(
        "response_types",
        lambda reading, _: reading.response_types,
        default=("code",),
        is_always_there=True,
    )
    auth_method: AuthMethod = member(
        "token_endpoint_auth_method",
        lambda reading, _: reading.auth_method,
        default=AuthMethod.SECRET_BASIC,
        form=METHOD,
        is_always_there=True,
    )
    auth_signing_alg: str | None = member(
        "token_endpoint_auth_signing_alg",
        lambda reading, _: reading.auth_signing_alg,
        default=None,
        is_always_there=True,
    )
    jwks: str | None = member(
        "jwks",
        lambda reading, _: reading.jwks,
        default=None,
        form=KEYS,
        is_always_there=True,
    )
    id_token_alg: str = member(
        "id_token_signed_response_alg",
        lambda reading, name: reading.id_token_alg(name),
        default="RS256",
        is_always_there=True,
    )
    client_name: str | None = member(
        "client_name",
        lambda reading, name: reading.name(name),
        default=None,
        localized=lambda reading, name: reading.name(name),
        is_always_there=True,
    )
    client_uri: str | None = member(
        "client_uri",
        lambda reading, name: reading.text(name),
        default=None,
        localized=lambda reading, name: reading.page(name),
        is_always_there=True,
    )
    logo_uri: str | None = member(
        "logo_uri",
        lambda reading, name: reading.page(name),
        default=None,
        localized=lambda reading, name: reading.page(name),
        is_always_there=True,
    )
    tos_uri: str | None = member(
        "tos_uri",
        lambda reading, name: reading.page(name),
        default=None,
        localized=lambda reading, name: reading.page(name),
        is_always_there=True,
    )
    policy_uri: str | None = member(
        "policy_uri",
        lambda reading, name: reading.page(name),
        default=None,
        localized=lambda reading, name: reading.page(name),
        is_always_there=True,
    )
    post_logout_redirect_uris: tuple[str, ...] = member(
        "post_logout_redirect_uris",
        lambda reading, name: reading.places_after_sign_out(name),
        default=(),
        form=URIS,
    )
    default_max_age: int | None = member(
        "default_max_age", lambda reading, name: reading.seconds(name), default=None
    )
    default_acr_values: tuple[str, ...] = member(
        "default_acr_values", lambda reading, name: reading.words(name), default=()
    )
    localized: tuple[Localized, ...] = member(
        None, _every_language, default=(), form=LANGUAGES, is_always_there=True
    )

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


def members() -> tuple[tuple[str, Member], ...]:
    """Return the fields by name, in the order in which they are told."""
    return tuple((field.name, field.metadata[_MEMBER]) for field in attrs.fields(Metadata))


def wire_names() -> tuple[str, ...]:
    """Return what the fields are called in a document, without those in one language."""
    return tuple(member.wire_name for _, member in members() if member.wire_name)


def read_metadata(
    document: object, *, rules: "RegistrationRules", problems: list[OAuthError] | None = None
) -> Metadata:
    """Read a decoded registration request; raise what is wrong with it first.

    With `problems`, all that is wrong goes there, and what is returned then is of no use.

    Fields that we do not know are ignored, and so are those that a client does not decide:
    `client_id`, `client_secret` and the like (C171), `software_statement` (C173).
    """
    found = Findings(problems)
    reading = registration_rules.Reading.of(Fields.of(document), rules, found)
    read: dict[str, Any] = {
        field.name: found.note(
            lambda said=field.metadata[_MEMBER]: said.read(reading, said.wire_name or ""),  # type: ignore[misc]
            field.default,
        )
        for field in attrs.fields(Metadata)
    }
    return Metadata(**read)


def values_of(metadata: Metadata) -> dict[str, Any]:
    """Return the fields by name; of a client, only those of its metadata."""
    return {field.name: getattr(metadata, field.name) for field in attrs.fields(Metadata)}


def document(metadata: Metadata) -> dict[str, object]:
    """Return the values in force, as a client is told (RFC 7591 section 3.2.1)."""
    kept, declared = _kept(metadata), dict(members())
    told = {
        declared[name].wire_name: declared[name].form.tell(value) for name, value in kept.items()
    }
    body = {name: value for name, value in told.items() if name and value is not None}
    return body | {f"{item.field}#{item.language}": item.value for item in metadata.localized}


def to_json(metadata: Metadata) -> str:
    """Write metadata down for the store, as UTF-8; of a client, only its metadata."""
    return json.dumps(_kept(metadata), default=attrs.astuple, sort_keys=True, ensure_ascii=False)


def from_json(text: str) -> Metadata:
    """Read back what `to_json` wrote, also by a version with more or fewer fields."""
    stored, declared = json.loads(text), dict(members())
    read: dict[str, Any] = {
        name: said.form.load(stored[name]) for name, said in declared.items() if name in stored
    }
    return Metadata(**read)


def digest(metadata: Metadata) -> str:
    """Return a digest of all metadata, the same for every order of keys and arrays (C166).

    Ids follow from it, so the text under the digest stays as it is, escapes included.
    It is the same for every loopback port of a native client, too: that changes from run to run.
    """
    kept, declared = _kept(metadata), dict(members())
    if metadata.application_type == NATIVE:
        for name in kept:
            if declared[name].form.has_ports:
                kept[name] = tuple({redirects.without_port(uri) or uri for uri in kept[name]})
    unordered = {
        name: sorted(value) if isinstance(value, tuple) else value for name, value in kept.items()
    }
    return secret.digest(json.dumps(unordered, default=attrs.astuple, sort_keys=True))


def _kept(metadata: Metadata) -> dict[str, Any]:
    """Return what is stored and told: of later fields, only what was said."""
    return {
        field.name: getattr(metadata, field.name)
        for field in attrs.fields(Metadata)
        if field.metadata[_MEMBER].is_always_there or getattr(metadata, field.name) != field.default
    }
