"""What somebody typed into a form whose proof had expired, until they have proved it again.

It waits in the attempt, sealed, and comes back to the same page, of the same account, in the same
browser. Nothing is done with it by itself: it fills the form in.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, Purpose
from synapse_nextgen_auth.accounts.attempts.onward import Onward
from synapse_nextgen_auth.secret import Keyring
from synapse_nextgen_auth.secret import Purpose as KeyPurpose

# Under which name an attempt keeps it, beside the answers to stages.
TYPED = "typed"
# What may let somebody in stays with whoever typed it. The rest is of one press of one page.
_SECRETS = re.compile(r"pass|pin\b|secret|code|recovery|otp|token|key|csrf", re.IGNORECASE)
_OF_THE_PRESS = {"decision", "account"}
_MOST = 8192  # letters: what a person types


def kept(form: Mapping[str, str]) -> dict[str, str]:
    """Return what of a form comes back: nothing that lets anybody in, and no decision."""
    found = {
        name: value
        for name, value in form.items()
        if name not in _OF_THE_PRESS and not _SECRETS.search(name)
    }
    return found if sum(map(len, (*found, *found.values()))) <= _MOST else {}


def seal(keys: Keyring, form: Mapping[str, str]) -> str:
    """Return it as the attempt keeps it."""
    return keys.seal(KeyPurpose.TYPED, json.dumps(dict(form)).encode())


def coming_back(
    attempt: Attempt | None,
    keys: Keyring,
    *,
    browser: str,
    user_id: str,
    goes_on: Onward,
    now: int,
) -> dict[str, str]:
    """Return what fills in the page on which somebody goes on after this attempt, if it was theirs.

    The address names the attempt, and anybody may write an address (C194, C278).
    """
    if attempt is None or attempt.purpose is not Purpose.PROVE_AGAIN or attempt.ended_at is None:
        return {}
    theirs = (attempt.browser, attempt.user_id, attempt.goes_on)
    if theirs != (browser, user_id, goes_on) or now >= attempt.expires_at:
        return {}
    plain = keys.unseal(KeyPurpose.TYPED, attempt.answered.get(TYPED, ""))
    found: dict[str, Any] = {} if plain is None else json.loads(plain)
    return found
