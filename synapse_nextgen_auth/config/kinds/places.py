"""Options that name something elsewhere: hosts, services and clients."""

from typing import TYPE_CHECKING

from synapse_nextgen_auth import late
from synapse_nextgen_auth.config.kinds.words import Text
from synapse_nextgen_auth.config.problems import Problems, shown
from synapse_nextgen_auth.config.secret_files import content
from synapse_nextgen_auth.oauth import hosts, uris
from synapse_nextgen_auth.oauth.clients.configured import StaticClient, read_static
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.records import frozen

if TYPE_CHECKING:
    from synapse_nextgen_auth.config import resource_servers
    from synapse_nextgen_auth.oauth.resources import ResourceServer
else:
    resource_servers = late.file("config.resource_servers")


@frozen
class Host:
    """A host, a domain or a network that an operator vouches for."""

    @property
    def takes(self) -> str:
        """Which of them."""
        return "a host, domain or network"

    def read(self, raw: object, path: str, problems: Problems) -> str | None:
        """Return it as it is written."""
        text = Text().read(raw, path, problems)
        reason = hosts.refuse_entry(text) if text is not None else None
        if reason:
            problems.say(path, f"{shown(text)} {reason}")
            return None
        return text

    def show(self, value: str, written: object) -> str:  # noqa: ARG002 - like every kind
        """Return it as it is written."""
        return value

    def write(self, value: str) -> str:
        """Return it as it is written."""
        return value


@frozen
class Url:
    """The address of a service that this server talks to, with TLS unless it is on this machine."""

    @property
    def takes(self) -> str:
        """An address."""
        return "an `https` address, or an `http` one of this machine"

    def read(self, raw: object, path: str, problems: Problems) -> str | None:
        """Return the address as it is written."""
        text = Text().read(raw, path, problems)
        reason = uris.refuse_service(text) if text is not None else None
        if reason:
            problems.say(path, f"{shown(text)} {reason}")
            return None
        return text

    def show(self, value: str, written: object) -> str:  # noqa: ARG002 - like every kind
        """Return the address."""
        return value

    def write(self, value: str) -> str:
        """Return the address."""
        return value


@frozen
class Origin:
    """Another site of the web, as browsers write it: `https://`, a host, and a port if it is not 443."""

    @property
    def takes(self) -> str:
        """An origin."""
        return "an address of `https://` and a host, without a path"

    def read(self, raw: object, path: str, problems: Problems) -> str | None:
        """Return it as browsers write it."""
        text = Text().read(raw, path, problems)
        if text is None:
            return None
        uri = uris.parse(text)
        is_bare = uri is not None and uri.path in {"", "/"} and uri.query is None
        if uri is None or uri.scheme != "https" or not is_bare or uri.has_userinfo or not uri.host:
            problems.say(path, f"expected {self.takes.replace('`', '')}, got {shown(text)}")
            return None
        port = f":{uri.port}" if uri.port not in {None, 443} else ""
        return f"https://{uri.host}{port}"

    def show(self, value: str, written: object) -> str:  # noqa: ARG002 - like every kind
        """Return it."""
        return value

    def write(self, value: str) -> str:
        """Return it."""
        return value


@frozen
class ClientEntry:
    """A client that need not register."""

    @property
    def takes(self) -> str:
        """The fields of one."""
        return "a client"

    def read(self, raw: object, path: str, problems: Problems) -> StaticClient | None:
        """Return the client; all that is wrong with it is one message."""
        try:
            return read_static(raw, read_file=content)
        except OAuthError as error:
            problems.say(path, error.detail or error.description)
            return None

    def show(self, value: StaticClient, written: object) -> str:  # noqa: ARG002 - like every kind
        """Return its id."""
        return value.client.client_id

    def write(self, value: StaticClient) -> str:
        """Return its id."""
        return value.client.client_id


@frozen
class ResourceServerEntry:
    """A service that takes our access tokens."""

    @property
    def takes(self) -> str:
        """The fields of one."""
        return "a service"

    def read(self, raw: object, path: str, problems: Problems) -> "ResourceServer | None":
        """Return the service; what is wrong with it is told at the paths below."""
        return resource_servers.read(raw, path, problems)

    def show(self, value: "ResourceServer", written: object) -> str:  # noqa: ARG002 - like every kind
        """Return what stands for it."""
        return value.resource

    def write(self, value: "ResourceServer") -> str:
        """Return what stands for it."""
        return value.resource
