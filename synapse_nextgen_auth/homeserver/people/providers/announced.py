"""Whether there are providers, and so whether the way through them is served at all."""

from collections.abc import Callable

from synapse import rest
from synapse.http.server import HttpServer
from synapse.server import HomeServer

from synapse_nextgen_auth.homeserver.people.providers.listing import Providers
from synapse_nextgen_auth.homeserver.startup.needed import Needed

NEEDS = (Needed("synapse.rest", "SERVLET_GROUPS"),)


def announce(
    ours: HomeServer, providers: Providers, serve: Callable[[HomeServer, HttpServer], None]
) -> None:
    """Serve it on every listener that carries the client API; without a provider nothing is made."""

    def register(hs: HomeServer, http_server: HttpServer) -> None:
        if hs is not ours or not providers.handlers():
            return  # another homeserver in this process, or one without providers
        serve(hs, http_server)

    groups = rest.SERVLET_GROUPS
    groups["client"] = (*groups["client"], register)
