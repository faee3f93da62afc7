"""`status`: which server answers, and with which releases."""

from importlib.metadata import version
from typing import Any

from synapse_nextgen_auth.web.endpoints.command.asked import Asked, Command
from synapse_nextgen_auth.web.site import Site


async def _status(site: Site, asked: Asked) -> dict[str, Any]:
    return {
        "server_name": site.server_name,
        "issuer": site.issuer.identifier,
        "process": site.homeserver.process_name,
        "version": version("synapse-nextgen-auth"),
        "synapse": version("matrix-synapse"),
        "draining": site.config.drain,
        "now": site.now(),
        "address": asked.address,
    }


STATUS = Command(frozenset(), _status)
