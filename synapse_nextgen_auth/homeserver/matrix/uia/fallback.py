"""`/auth/…/fallback/web`: the page that a client opens for a stage that it cannot show (CS API).

For a session that waits for an approval it leads to our page, on every process. All else is Synapse's,
which serves it on the main process only.
"""

from typing import TYPE_CHECKING

from synapse.api.errors import Codes, SynapseError, UnrecognizedRequestError
from synapse.http.server import HttpServer, respond_with_redirect
from synapse.http.servlet import RestServlet, parse_string
from synapse.http.site import SynapseRequest
from synapse.rest.client.auth import AuthRestServlet

from synapse_nextgen_auth import late
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.database.outage import answered_503
from synapse_nextgen_auth.homeserver.startup.needed import Needed
from synapse_nextgen_auth.oauth.metadata import Endpoints

if TYPE_CHECKING:
    from synapse_nextgen_auth.store import approvals
else:
    approvals = late.file("store.approvals")

NEEDS = (
    Needed("synapse.rest.client.auth", "AuthRestServlet.on_GET", ("request", "stagetype")),
    Needed("synapse.rest.client.auth", "AuthRestServlet.PATTERNS"),
    Needed("synapse.http.server", "respond_with_redirect", ("request", "url")),
    Needed("synapse.http.servlet", "parse_string", ("request", "name")),
)

_STAGES = frozenset({"m.login.sso", "m.oauth", "org.matrix.cross_signing_reset"})


class _Pages:
    """Finds the page of a session."""

    def __init__(self, homeserver: Homeserver, endpoints: Endpoints) -> None:
        self._homeserver = homeserver
        self._endpoints = endpoints

    async def leads(self, request: SynapseRequest, stage: str) -> bool:
        """Send the browser to our page if it waits there; the page finds out who may see it."""
        session = parse_string(request, "session") if stage in _STAGES else None
        if not session:
            return False
        if "\0" in session:
            # PostgreSQL takes no text with it, neither from Synapse.
            raise SynapseError(400, "Unknown session", Codes.INVALID_PARAM)
        with answered_503(self._homeserver):
            approval = await self._homeserver.read(approvals.of_ui_session, session)
        if approval is None:
            return False
        url = self._endpoints.url(f"approve?request={approval.approval_id}")
        respond_with_redirect(request, url.encode("ascii"))
        return True


class Fallback(AuthRestServlet):
    """Synapse's servlet, for all that is not ours."""

    def __init__(self, homeserver: Homeserver, pages: _Pages) -> None:
        super().__init__(homeserver.hs)
        self._pages = pages

    async def on_GET(self, request: SynapseRequest, stagetype: str) -> None:  # noqa: N802 (Synapse's)
        """Lead to our page, or answer as Synapse does."""
        if not await self._pages.leads(request, stagetype):
            await super().on_GET(request, stagetype)


class FallbackOnWorker(RestServlet):
    """The same where Synapse serves nothing."""

    PATTERNS = AuthRestServlet.PATTERNS

    def __init__(self, pages: _Pages) -> None:
        super().__init__()
        self._pages = pages

    async def on_GET(self, request: SynapseRequest, stagetype: str) -> None:  # noqa: N802 (Synapse's)
        """Lead to our page, or say what the main process says of a stage that nobody knows."""
        if not await self._pages.leads(request, stagetype):
            raise _unknown(request, stagetype)

    async def on_POST(self, request: SynapseRequest, stagetype: str) -> None:  # noqa: N802 (Synapse's)
        """Say the same."""
        raise _unknown(request, stagetype)


def _unknown(request: SynapseRequest, stage: str) -> SynapseError:
    if stage not in _STAGES:
        return UnrecognizedRequestError(code=404)
    if not parse_string(request, "session"):
        return SynapseError(400, "No session supplied")
    return SynapseError(404, "Unknown auth stage type")


def register(homeserver: Homeserver, http_server: HttpServer, endpoints: Endpoints) -> None:
    """Register it after Synapse's own: an equal pattern takes the place of the earlier one."""
    pages = _Pages(homeserver, endpoints)
    servlet = Fallback(homeserver, pages) if homeserver.is_main else FallbackOnWorker(pages)
    servlet.register(http_server)
