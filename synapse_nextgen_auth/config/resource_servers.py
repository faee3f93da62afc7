"""An entry of `resource_servers`: a service that takes our access tokens (RFC 8707, RFC 9068)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

import attrs

from synapse_nextgen_auth.config.kinds.numbers import Duration
from synapse_nextgen_auth.config.kinds.words import Choice, Text
from synapse_nextgen_auth.config.problems import Problems, join, kind_of, shown
from synapse_nextgen_auth.config.secret_files import content
from synapse_nextgen_auth.config.wording import wording
from synapse_nextgen_auth.oauth import resources
from synapse_nextgen_auth.oauth.clients.configured import StaticClient, read_static
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants.grant_types import DEVICE_CODE
from synapse_nextgen_auth.oauth.resources import Format, ResourceScope, ResourceServer
from synapse_nextgen_auth.oauth.tokens.keys import Algorithm

# Keys stay published for two days after their use, so a token must not live as long as that.
LONGEST = "1d"
_USUAL = 300
_OF_CLIENT = (
    "client_id",
    "client_secret",
    "client_secret_path",
    "jwks",
    "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg",
)
_KNOWN = [
    *("resource", "name", "scopes", "token_format", "token_lifetime", "signing_alg"),
    *_OF_CLIENT,
]
_LONGEST_TEXT = 300

E = TypeVar("E", Format, Algorithm)


def read(raw: object, path: str, problems: Problems) -> ResourceServer | None:
    """Return the service; everything that is wrong with it is told at its own path."""
    if not isinstance(raw, Mapping):
        problems.say(path, f"expected a service with resource, name and scopes, got {kind_of(raw)}")
        return None
    before = len(problems.found)
    problems.say_unknown(path, raw, _KNOWN)
    resource = _resource(raw, path, problems)
    name = wording(raw.get("name"), join(path, "name"), problems, read=_sentence)
    scopes = _scopes(raw.get("scopes"), join(path, "scopes"), problems)
    token_format = _choice(raw, "token_format", Format.JWT, path, problems)
    algorithm = _choice(raw, "signing_alg", Algorithm.RS256, path, problems)
    lifetime: int | None = _USUAL
    if raw.get("token_lifetime") is not None:
        kind = Duration(longest=LONGEST)
        lifetime = kind.read(raw["token_lifetime"], join(path, "token_lifetime"), problems)
    client = _client(raw, path, problems)
    if client is None and token_format is Format.OPAQUE and not problems.are_at(path):
        problems.say(path, "token_format opaque takes client_id and a secret or jwks, to ask by")
    if len(problems.found) > before:
        return None
    assert name is not None and lifetime is not None  # noqa: S101, PT018 (else something was said)
    if client is not None:  # so that lists of clients call it as people know it
        named = attrs.evolve(client.client, client_name=name.for_(()))
        client = attrs.evolve(client, client=named)
    return ResourceServer(resource, name, scopes, token_format, lifetime, algorithm, client)


def _resource(raw: Mapping[str, object], path: str, problems: Problems) -> str:
    text = Text().read(raw.get("resource"), join(path, "resource"), problems)
    reason = resources.refuse_written(text) if text is not None else None
    if reason:
        problems.say(join(path, "resource"), f"{shown(text)}: {reason}")
    return text or ""


def _scopes(raw: object, path: str, problems: Problems) -> tuple[ResourceScope, ...]:
    if not isinstance(raw, Mapping) or not raw:
        problems.say(path, "expected at least one scope, each with a sentence for people")
        return ()
    if len(raw) > resources.MAX_WORDS:
        problems.say(path, f"expected at most {resources.MAX_WORDS} scopes, got {len(raw)}")
    found = []
    for word, about in raw.items():
        here = f"{path}[{word!r}]"
        reason = "must be a text" if not isinstance(word, str) else resources.refuse_word(word)
        if reason:
            problems.say(here, f"the name of a scope {reason}")
        said = wording(about, here, problems, read=_sentence)
        if said is not None:
            found.append(ResourceScope(str(word), said))
    return tuple(found)


def _sentence(raw: object, path: str, problems: Problems) -> str | None:
    text = Text().read(raw, path, problems)
    if text is not None and (len(text) > _LONGEST_TEXT or not text.isprintable()):
        problems.say(path, f"expected one line of at most {_LONGEST_TEXT} letters")
        return None
    return text


def _choice(raw: Mapping[str, object], name: str, default: E, path: str, problems: Problems) -> E:
    if raw.get(name) is None:
        return default
    return Choice(type(default)).read(raw[name], join(path, name), problems) or default


def _client(raw: Mapping[str, object], path: str, problems: Problems) -> StaticClient | None:
    """Read what the service proves itself by, in the words that a client has for it."""
    given = {name: raw[name] for name in _OF_CLIENT if raw.get(name) is not None}
    if not given:
        return None
    # It gets no tokens itself: the grant type is one that takes no redirect URI, and goes again.
    document = {**given, "client_name": "service", "grant_types": [DEVICE_CODE]}
    try:
        written = read_static(document, read_file=content)
    except OAuthError as error:
        problems.say(path, error.detail or error.description)
        return None
    if written.client.is_public:
        problems.say(path, "client_id is of no use without a secret or jwks")
        return None
    return attrs.evolve(
        written, client=attrs.evolve(written.client, grant_types=(), client_name=None)
    )


def wrong_together(
    servers: tuple[ResourceServer, ...], client_ids: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong between the services, each with its path."""
    seen: dict[tuple[str, ...], str] = {}
    ids, words = set(client_ids), set[str]()
    for n, server in enumerate(servers):
        path = f"resource_servers[{n}]"
        same = resources.same_as(server.resource)
        first = seen.get(same)
        if first == server.resource:
            yield f"{path}.resource", f"{first} is there twice"
        elif first is not None:
            yield f"{path}.resource", f"{server.resource} is {first}, but for how it is written"
        seen.setdefault(same, server.resource)
        for word in sorted(server.words & words):
            yield f"{path}.scopes[{word!r}]", "another service has this scope: a word is of one"
        words |= server.words
        if server.client is not None and server.client.client.client_id in ids:
            yield f"{path}.client_id", f"{server.client.client.client_id} is there twice"
        ids |= {server.client.client.client_id} if server.client else set()


def with_services(
    clients: Iterable[StaticClient], servers: tuple[ResourceServer, ...]
) -> tuple[StaticClient, ...]:
    """Write down of programs which service each of their scopes is of, as sessions have it."""
    known = resources.Resources("", servers)

    def bound(written: StaticClient) -> StaticClient:
        service = written.client.service
        if service is None or service.words is None:
            return written
        words = known.kept(service.words.split())
        client = attrs.evolve(written.client, service=attrs.evolve(service, words=words))
        return attrs.evolve(written, client=client)

    return tuple(map(bound, clients))
