"""Every command that the running server knows, by its name."""

from collections.abc import Mapping

from synapse_nextgen_auth.web.endpoints.command import (
    clients,
    doctor,
    events,
    factors,
    sessions,
    tokens,
    users,
)
from synapse_nextgen_auth.web.endpoints.command.asked import Command
from synapse_nextgen_auth.web.endpoints.command.invitations import CREATE, END, LIST
from synapse_nextgen_auth.web.endpoints.command.set_password_link import SET_PASSWORD_LINK
from synapse_nextgen_auth.web.endpoints.command.status import STATUS

COMMANDS: Mapping[str, Command] = {
    "clients block": clients.BLOCK,
    "clients list": clients.LIST,
    "clients show": clients.SHOW,
    "clients unblock": clients.UNBLOCK,
    "doctor begin": doctor.BEGIN,
    "doctor end": doctor.END,
    "events list": events.LIST,
    "factors cancel": factors.CANCEL,
    "factors list": factors.LIST,
    "factors reset": factors.RESET,
    "invitations create": CREATE,
    "invitations end": END,
    "invitations list": LIST,
    "sessions end": sessions.END,
    "sessions list": sessions.LIST,
    "sessions show": sessions.SHOW,
    "set-password-link": SET_PASSWORD_LINK,
    "status": STATUS,
    "tokens end": sessions.END_TOKENS,
    "tokens issue": tokens.ISSUE,
    "tokens list": sessions.LIST_TOKENS,
    "tokens show": sessions.SHOW_TOKEN,
    "users list": users.LIST,
    "users show": users.SHOW,
}
