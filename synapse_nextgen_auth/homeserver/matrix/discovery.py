"""How clients find us: the Matrix endpoints and the well-known key (CS API, MSC2965)."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from synapse import rest
from synapse.http.server import HttpServer, respond_with_json_bytes
from synapse.http.servlet import RestServlet
from synapse.rest.client._base import client_patterns
from synapse.server import HomeServer

from synapse_nextgen_auth.accounts.legacy_login import LegacyLoginRules
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.matrix import (
    closed_endpoints,
    legacy_login,
    old_doors,
    rendezvous,
)
from synapse_nextgen_auth.homeserver.matrix.old_doors import OldDoors
from synapse_nextgen_auth.homeserver.matrix.rendezvous import RendezvousHandler
from synapse_nextgen_auth.homeserver.matrix.uia import fallback
from synapse_nextgen_auth.homeserver.people.accounts import People
from synapse_nextgen_auth.homeserver.startup.needed import Needed
from synapse_nextgen_auth.oauth.metadata import Endpoints
from synapse_nextgen_auth.secret import Keyring

if TYPE_CHECKING:
    from synapse_nextgen_auth.homeserver.matrix.application_passwords import ApplicationPasswords

NEEDS = (
    Needed("synapse.rest", "SERVLET_GROUPS"),
    Needed("synapse.rest.client._base", "client_patterns", ("releases", "unstable")),
    Needed("synapse.http.server", "respond_with_json_bytes", ("send_cors",)),
)

CACHEABLE = b"public, max-age=600, s-maxage=3600, stale-while-revalidate=600"


class AuthMetadata(RestServlet):
    """The discovery document, on the stable path and the one of MSC2965."""

    PATTERNS = (
        *client_patterns("/auth_metadata$", releases=("v1",), unstable=False),
        *client_patterns("/org.matrix.msc2965/auth_metadata$", releases=(), unstable=True),
    )

    def __init__(self, document: Callable[[], bytes]) -> None:
        super().__init__()
        self._document = document

    async def on_GET(self, request: Any) -> None:  # noqa: N802 (Synapse's name)
        """Answer with the same bytes everywhere."""
        request.setHeader(b"Cache-Control", CACHEABLE)
        respond_with_json_bytes(request, 200, self._document(), send_cors=True)


class AuthIssuer(RestServlet):
    """The issuer alone, as clients asked for it before there was `auth_metadata`."""

    PATTERNS = client_patterns("/org.matrix.msc2965/auth_issuer$", releases=(), unstable=True)

    def __init__(self, issuer: str) -> None:
        super().__init__()
        self._issuer = issuer

    async def on_GET(self, request: Any) -> tuple[int, Mapping[str, str]]:  # noqa: N802
        """Answer with the issuer."""
        request.setHeader(b"Cache-Control", CACHEABLE)
        return 200, {"issuer": self._issuer}


def announce(  # noqa: PLR0913 (what those who are announced need)
    homeserver: Homeserver,
    endpoints: Endpoints,
    document: Callable[[], bytes],
    *,
    rendezvous_handler: RendezvousHandler | None,
    legacy: LegacyLoginRules,
    keys: Keyring,
    people: People,
    doors: OldDoors,
    passwords: "ApplicationPasswords",
) -> None:
    """Serve discovery on every listener that will carry the client API, and in the well-known.

    With a `rendezvous_handler`, sign-in by QR code too; `legacy` ways in go by these rules. On
    the same listeners the endpoints are replaced that are not for our tokens.
    """
    ours = homeserver.hs

    def register(hs: HomeServer, http_server: HttpServer) -> None:
        if hs is not ours:
            return  # another homeserver in this process, perhaps without this module
        AuthMetadata(document).register(http_server)
        AuthIssuer(endpoints.issuer).register(http_server)
        if rendezvous_handler is not None:
            rendezvous.register(hs, http_server, rendezvous_handler)
        closed_endpoints.close(
            homeserver, people, http_server, doors, confirm_legacy=legacy.confirms_here
        )
        old_doors.register(homeserver, http_server, doors)
        fallback.register(homeserver, http_server, endpoints)
        legacy_login.register(
            homeserver,
            http_server,
            rules=legacy,
            doors=doors,
            endpoints=endpoints,
            keys=keys,
            passwords=passwords,
        )

    groups = rest.SERVLET_GROUPS
    groups["client"] = (*groups["client"], register)
    content = homeserver.hs.config.server.extra_well_known_client_content
    content["org.matrix.msc2965.authentication"] = {
        "issuer": endpoints.issuer,
        "account": endpoints.url("account"),
    }
