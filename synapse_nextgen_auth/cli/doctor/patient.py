"""What the doctor knows before it looks: the configuration, and where the server is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import attrs
from synapse.config.homeserver import HomeServerConfig

from synapse_nextgen_auth.cli.check_config import Looked
from synapse_nextgen_auth.cli.doctor.asking import Answer, Connect, ask, to_host
from synapse_nextgen_auth.cli.running_server import Place
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.oauth.loopback import is_loopback
from synapse_nextgen_auth.oauth.metadata import Endpoints
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring


@frozen
class Patient:
    """One server; `trust` is a file of certificates where its own are of no public authority.

    `well_known_url` is where clients look for it by its name.
    """

    files: Sequence[Path]
    looked: Looked
    hs_config: HomeServerConfig
    places: Sequence[Place]
    keys: Keyring = attrs.field(repr=False)
    trust: str | None = None
    well_known_url: str | None = None

    @property
    def config(self) -> Config:
        """The module's options."""
        return self.looked.config

    @property
    def server_name(self) -> str:
        """What stands behind the colon of its accounts."""
        return str(self.hs_config.server.server_name)

    @property
    def base_url(self) -> str:
        """Its address for clients, without a slash at the end."""
        return str(self.hs_config.server.public_baseurl or "").rstrip("/")

    @property
    def endpoints(self) -> Endpoints:
        """Our addresses."""
        return Endpoints.under(self.base_url)

    @property
    def is_here(self) -> bool:
        """Whether its address is one of this machine's own with nothing in front, as the demo's."""
        url = urlsplit(self.base_url)
        return url.scheme == "http" and is_loopback(url.hostname or "")

    def connect(self, url: str) -> Connect:
        """Return how an application connects to an address."""
        return to_host(url, trust=self.trust)

    def ask(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Ask an address as an application does; raise `Unreachable`."""
        return ask(self.connect(url), url, method=method, headers=headers, body=body)
