"""Every command that the running server knows, by its name."""

from collections.abc import Mapping

from synapse_nextgen_auth.web.endpoints.command import doctor, factors
from synapse_nextgen_auth.web.endpoints.command.asked import Command
from synapse_nextgen_auth.web.endpoints.command.invitations import CREATE, END, LIST
from synapse_nextgen_auth.web.endpoints.command.set_password_link import SET_PASSWORD_LINK
from synapse_nextgen_auth.web.endpoints.command.status import STATUS

COMMANDS: Mapping[str, Command] = {
    "doctor begin": doctor.BEGIN,
    "doctor end": doctor.END,
    "factors cancel": factors.CANCEL,
    "factors list": factors.LIST,
    "factors reset": factors.RESET,
    "invitations create": CREATE,
    "invitations end": END,
    "invitations list": LIST,
    "set-password-link": SET_PASSWORD_LINK,
    "status": STATUS,
}
