"""Tokens of ours that somebody pastes where a password belongs: no password provider sees one.

Providers are other modules, and the directories of others behind them. It is the same wherever Synapse
asks them: `/login`, User-Interactive Authentication and our own pages. It is a wrong password there.
"""

from typing import Any

from synapse.handlers.auth import PasswordAuthProvider

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.startup import patches
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.tokens import session_tokens

NEEDS = (
    Needed(
        "synapse.handlers.auth",
        "PasswordAuthProvider.check_auth",
        ("username", "login_type", "login_dict"),
    ),
    Needed(
        "synapse.handlers.auth",
        "PasswordAuthProvider.check_3pid_auth",
        ("medium", "address", "password"),
    ),
    *members("synapse.server", "HomeServer", "get_password_auth_provider"),
)


class Providers(PasswordAuthProvider):
    """What asks the providers of passwords, but of no token."""

    async def check_auth(self, username: str, login_type: str, login_dict: dict[str, Any]) -> Any:
        """Say that nobody's account is opened by what has a token in it."""
        if _has_a_token(username, *login_dict.values()):
            return None
        return await super().check_auth(username, login_type, login_dict)

    async def check_3pid_auth(self, medium: str, address: str, password: str) -> Any:
        """Say the same of an address."""
        if _has_a_token(address, password):
            return None
        return await super().check_3pid_auth(medium, address, password)


def _has_a_token(*typed: object) -> bool:
    return any(isinstance(each, str) and session_tokens.find(each) for each in typed)


def install(homeserver: Homeserver) -> None:
    """Stand between Synapse and them, on every process."""
    patches.instead(homeserver.hs.get_password_auth_provider(), "__class__", Providers)
