"""Services of others that take our access tokens, each for itself (RFC 8707, RFC 9068).

The operator writes them down with scopes of theirs. Those stand beside the scope of Matrix, in grants
and sessions, and never in it: no token opens both. There a scope stands with the service that it was
granted for (`kept`), so that a word that moves to another service takes nothing along.
"""

import enum
from collections.abc import Iterable, Sequence

from synapse_nextgen_auth.oauth import hosts, uris
from synapse_nextgen_auth.oauth.clients.configured import StaticClient
from synapse_nextgen_auth.oauth.errors import OAuthError, invalid_scope
from synapse_nextgen_auth.oauth.languages import Wording
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.scopes.grammar import Scope
from synapse_nextgen_auth.oauth.tokens.keys import Algorithm
from synapse_nextgen_auth.oauth.wording import quoted
from synapse_nextgen_auth.records import frozen

# Of all services together, in one session: an opaque token has a bit for each.
MAX_WORDS = 24
# What a name of a scope must not begin with: it means something here.
_TAKEN = ("urn:matrix:", "urn:synapse:", "urn:nextgen-auth:", "urn:mas:")


class Format(str, enum.Enum):
    """What a token looks like; the value is what the configuration says."""

    JWT = "jwt"
    OPAQUE = "opaque"


@frozen
class ResourceScope:
    """A scope of a service: the word that stands in tokens, and what people are asked."""

    word: str
    about: Wording


@frozen
class ResourceServer:
    """A service. `resource` is the URI that stands for it, `lifetime` that of its tokens (seconds).

    `client` is what it proves itself as where it asks what a token is good for; one that only checks
    signatures needs none.
    """

    resource: str
    name: Wording
    scopes: tuple[ResourceScope, ...]
    token_format: Format
    lifetime: int
    algorithm: Algorithm
    client: StaticClient | None = None

    @property
    def place(self) -> str:
        """What people are shown of where it is: its host, where it has one."""
        uri = uris.parse(self.resource)
        return uri.host if uri and uri.host else self.resource

    @property
    def words(self) -> frozenset[str]:
        """The scopes of it."""
        return frozenset(scope.word for scope in self.scopes)


@frozen
class Asked:
    """What an authorization asks for: of this server, and of services, as it is kept."""

    scope: Scope
    words: str | None


@frozen
class Sought:
    """Scopes that sessions are looked for by: of this server, and of services, as they are kept."""

    scopes: tuple[str, ...]
    kept: tuple[str, ...]


@frozen
class Target:
    """The one service that a token is for, and what it may do there.

    `mask` has a bit for each of the session's words, the first one lowest.
    """

    server: ResourceServer
    words: tuple[str, ...]
    mask: int


@frozen
class Resources:
    """The services that the operator wrote down. `issuer` stands for this server itself."""

    issuer: str
    servers: tuple[ResourceServer, ...] = ()

    def of_word(self, word: str) -> ResourceServer | None:
        """Return whose scope a word is."""
        return next((each for each in self.servers if word in each.words), None)

    def of_kept(self, entry: str) -> ResourceServer | None:
        """Return the service that something was granted for, while the word is one of it."""
        resource, word = apart(entry)
        server = self.at(resource)
        return server if server is not None and word in server.words else None

    def of_client(self, client_id: str) -> ResourceServer | None:
        """Return the service that proves itself as this client."""
        found = (each for each in self.servers if each.client is not None)
        return next((each for each in found if _id_of(each) == client_id), None)

    def at(self, resource: str) -> ResourceServer | None:
        """Return the service at this URI, which is compared character by character."""
        return next((each for each in self.servers if each.resource == resource), None)

    def check(self, resource: str | None) -> None:
        """Refuse a `resource` that stands for nothing here (RFC 8707 section 2; C387)."""
        if resource is None or resource == self.issuer or self.at(resource) is not None:
            return
        reason = refuse_uri(resource) or "this server knows no such service"
        raise invalid_target(f"resource {quoted(resource)}: {reason}")

    def asked(self, text: str, resource: str | None) -> Asked:
        """Read the `scope` of an authorization, which is for one service if it names it."""
        self.check(resource)
        tokens = tuple(dict.fromkeys(text.split(" ")))
        words = tuple(token for token in tokens if self.of_word(token) is not None)
        own = [token for token in tokens if token not in words]
        if not words:
            if resource is not None and resource != self.issuer:
                raise invalid_scope("scope must say what is wanted of the resource")
            return Asked(grammar.parse(text), None)
        self._refuse_foreign(words, resource)
        if len(words) > MAX_WORDS:
            raise invalid_scope(f"scope must have at most {MAX_WORDS} scopes of other services")
        # Nothing for this server, or nothing that it knows, is in order here.
        text = " ".join(own)
        scope = grammar.parse(text) if own and grammar.knows(text) else Scope("")
        return Asked(scope, self.kept(words))

    def kept(self, words: Iterable[str]) -> str | None:
        """Return scopes of services as they are kept; one that nobody has is left out."""
        servers = ((self.of_word(word), word) for word in words)
        return " ".join(kept(server.resource, word) for server, word in servers if server) or None

    def sought(self, scopes: Iterable[str]) -> Sought:
        """Tell apart what sessions are looked for by: a word stands for the service that has it now.

        One with its service, as it is kept, finds what that has no more.
        """
        own, elsewhere = [], []
        for token in scopes:
            known = self.kept([token])
            is_kept = "#" in token and not token.casefold().startswith(_TAKEN)
            if known is not None or is_kept:
                elsewhere.append(known or token)
            else:
                own.append(token)
        return Sought(tuple(own), tuple(elsewhere))

    def _refuse_foreign(self, words: Sequence[str], resource: str | None) -> None:
        if resource is None:
            return
        server = self.at(resource)
        foreign = [word for word in words if server is None or word not in server.words]
        if foreign:
            raise invalid_scope(f"{quoted(foreign[0])} is no scope of the resource")

    def target(
        self,
        granted: Scope,
        words: str | None,
        *,
        resource: str | None,
        usual: str | None = None,
        scope: str | None = None,
    ) -> Target | None:
        """Return which service a token is for, `None` for this server itself.

        `resource` is what the request says, `usual` what the configuration says of its client. Without
        either, a token is for this server if anything was granted here, or else for the only service.
        `scope` is the part that is wanted of it (RFC 6749 section 6), `None` for all of it.
        """
        self.check(resource)
        held = (words or "").split()
        by_resource = {
            server.resource: server for each in held if (server := self.of_kept(each)) is not None
        }
        if resource is None:
            resource = usual if usual in by_resource else None
        if resource == self.issuer or (resource is None and granted.tokens):
            if not granted.tokens:
                raise invalid_target("Nothing of this server itself was granted")
            return None
        if resource is None and len(by_resource) != 1:
            raise invalid_target("resource must say which service the token is for")
        server = by_resource.get(resource or next(iter(by_resource)))
        if server is None:
            raise invalid_target("Nothing of this resource was granted")
        return _target(server, held, scope)

    def holds(self, server: ResourceServer, words: str | None, mask: int) -> tuple[str, ...]:
        """Return what of a session's words a token of this mask has, as far as it still is so."""
        found = (each for n, each in enumerate((words or "").split()) if mask >> n & 1)
        return tuple(apart(each)[1] for each in found if self.of_kept(each) is server)


def kept(resource: str, word: str) -> str:
    """Return how a scope is written down: with its service, whose URI has no fragment of its own."""
    return f"{resource}#{word}"


def apart(entry: str) -> tuple[str, str]:
    """Return the service and the scope of what was written down."""
    resource, _, word = entry.partition("#")
    return resource, word


def words_of(entries: str | None) -> str:
    """Return the scopes alone, as a client knows them."""
    return " ".join(apart(each)[1] for each in (entries or "").split())


def all_of(scope: str, entries: str | None) -> str:
    """Return all that was granted, as a client knows it: here, and at services."""
    return " ".join(filter(None, (scope, words_of(entries))))


def _target(server: ResourceServer, held: Sequence[str], scope: str | None) -> Target:
    wanted = None if scope is None else set(scope.split(" "))
    own = {kept(server.resource, word): word for word in server.words}
    granted = {own[each] for each in held if each in own}
    if wanted is not None:
        # What is of this server itself may be repeated; it goes into no token of another.
        beyond = wanted & server.words - granted
        if beyond:
            raise invalid_scope("scope must not go beyond what the session was granted")
    bits = [each in own and (wanted is None or own[each] in wanted) for each in held]
    words = tuple(own[each] for each, is_in in zip(held, bits, strict=True) if is_in)
    if not words:
        raise invalid_scope("scope has nothing of the resource")
    return Target(server, words, sum(is_in << n for n, is_in in enumerate(bits)))


def _id_of(server: ResourceServer) -> str | None:
    return server.client.client.client_id if server.client else None


def invalid_target(description: str) -> OAuthError:
    """Say what is wrong with the `resource` (RFC 8707 section 2)."""
    return OAuthError("invalid_target", description)


def refuse_uri(text: str) -> str | None:
    """Say why this cannot stand for a service (RFC 8707 section 2)."""
    uri = uris.parse(text)
    if uri is None:
        return uris.refuse(text) or "its host or port is malformed"
    if uri.has_fragment:
        return "it must not have a fragment"
    if uri.has_userinfo:
        return "it must not have a user name or password"
    return None


# Of which the address bar makes a program or a page, whoever wrote it.
_OF_BROWSERS = frozenset({"javascript", "data", "vbscript", "blob", "file", "about", "view-source"})


def refuse_written(text: str) -> str | None:
    """Say why an operator must not let this stand for a service: clients and others take it for one."""
    uri = uris.parse(text)
    if uri is None or (reason := refuse_uri(text)) is not None:
        return refuse_uri(text)
    if uri.scheme in _OF_BROWSERS:
        return f"{uri.scheme}: says what a browser does, and stands for no service"
    if uri.scheme == "http" and hosts.refuse_public(uri.host) is None:
        return "it must begin with https, as anybody on the way could speak for it"
    return reason


def same_as(text: str) -> tuple[str, ...]:
    """Return what is equal of two URIs that only their spelling tells apart (RFC 3986 section 6.2)."""
    uri = uris.parse(text)
    if uri is None:
        return (text,)
    path = uri.path or ("/" if uri.has_authority else "")
    return (uri.scheme, uri.host_and_port, path, "" if uri.query is None else f"?{uri.query}")


# What a name of a scope must not be: it means something to every client.
_MEANT = frozenset({"openid", "profile", "email", "address", "phone", "offline_access"})


def refuse_word(word: str) -> str | None:
    """Say why a scope of a service must not be called so."""
    if not grammar.is_token(word):
        return "must be printable ASCII without spaces, quotes and backslashes"
    if len(word) > 100:
        return "must not be longer than 100 characters"
    if word.casefold().startswith(_TAKEN) or word.casefold() in _MEANT:
        return "means something else already"
    return None
