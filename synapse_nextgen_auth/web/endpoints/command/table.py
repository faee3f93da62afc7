"""Every command that the running server knows, by its name."""

from collections.abc import Mapping

from synapse_nextgen_auth.web.endpoints.command.asked import Command
from synapse_nextgen_auth.web.endpoints.command.status import STATUS

COMMANDS: Mapping[str, Command] = {
    "status": STATUS,
}
