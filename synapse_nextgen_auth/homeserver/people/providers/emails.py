"""Which e-mail addresses of a provider a new account gets: those that nobody else here has.

Synapse would take an address from the account that has it, though nobody proved to be that account
(C267), and would find out that one is none when the account is made already.
"""

import logging
import re
from collections.abc import Iterable
from typing import Any

from synapse.util.threepids import canonicalise_email

from synapse_nextgen_auth.homeserver.startup.needed import Needed

NEEDS = (
    Needed(
        "synapse.storage.databases.main",
        "DataStore.get_user_id_by_threepid",
        ("medium", "address"),
    ),
)

_LONGEST = 254  # RFC 5321 section 4.5.3.1.3, less the brackets
_ADDRESS = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+")

logger = logging.getLogger(__name__)


async def free(store: Any, emails: Iterable[Any]) -> list[str]:
    """Return the addresses that a new account may have."""
    return [each for each in emails if await _is_free(store, each)]


async def _is_free(store: Any, email: object) -> bool:
    if not isinstance(email, str):
        return False  # a mapping hands on whatever stands in the provider's answer
    try:
        address = canonicalise_email(email)
    except ValueError:
        return False
    if len(address) > _LONGEST or not _ADDRESS.fullmatch(address):
        return False
    if await store.get_user_id_by_threepid("email", address) is None:
        return True
    logger.info("An address that a provider names is another account's, and stays there")
    return False
