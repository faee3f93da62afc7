"""`users/{id}/set-password`."""

from synapse_nextgen_auth.accounts.new_passwords import PasswordProblem
from synapse_nextgen_auth.flows import administration as flows
from synapse_nextgen_auth.homeserver.people.passwords import TryLater
from synapse_nextgen_auth.secret import Secret
from synapse_nextgen_auth.web.endpoints.admin import changes, users
from synapse_nextgen_auth.web.endpoints.admin.calls import Call, nothing
from synapse_nextgen_auth.web.endpoints.admin.operations import (
    Answer,
    Field,
    Nothing,
    Operation,
    Refused,
)
from synapse_nextgen_auth.web.endpoints.admin.values import Flag, Text

_CLOSED = Refused(400, "The account is closed. Reactivate it before it gets a password.")
_LONGEST = 512  # as Synapse's own
_SAID = {
    PasswordProblem.MISSING: "is empty",
    PasswordProblem.TOO_LONG: "is too long",
    PasswordProblem.TOO_SHORT: "is too short",
    PasswordProblem.NO_DIGIT: "has no digit",
    PasswordProblem.NO_SYMBOL: "has no symbol",
    PasswordProblem.NO_UPPERCASE: "has no capital letter",
    PasswordProblem.NO_LOWERCASE: "has no small letter",
    PasswordProblem.TOO_WEAK: "is too easy to guess",
    PasswordProblem.BREACHED: "stands on a list of leaked passwords",
    PasswordProblem.UNCHECKED: "cannot be looked for on the list of leaked passwords now",
}


async def _set_password(call: Call) -> Answer:
    site, user_id = call.site, await users.find(call, call.path["id"])
    if not site.password_changes.are_possible:
        raise Refused(403, "Password auth is disabled")
    if await site.homeserver.is_closed(user_id):
        raise _CLOSED
    password = Secret(call.body["password"])
    if not call.body["skip_password_check"]:
        await _check(call, password, user_id)
    hashed = await site.password_changes.hash(password)
    about = changes.only_if(None, user_id)
    why = await changes.run(call, about, flows.set_password, user_id, hashed, now=call.now)
    if why is not None:
        raise _CLOSED
    return nothing(about=user_id)


async def _check(call: Call, password: Secret, user_id: str) -> None:
    site = call.site
    name, _ = await site.people.profile(user_id)
    known = (user_id[1:].partition(":")[0], name or "", *await site.people.emails(user_id))
    try:
        judgement = await site.new_passwords.judge(password, known)
    except TryLater:
        raise Refused(503, "Too many passwords are looked at just now. Try again.") from None
    if not judgement.is_fine:
        said = ", and ".join(_SAID[each] for each in judgement.problems)
        raise Refused(400, f"The password {said}.")


OPERATIONS = (
    Operation(
        method="POST",
        path="users/{id}/set-password",
        name="setUserPassword",
        tag="user",
        summary="Set the password of an account",
        about="Its sessions go on. Its browsers are signed out, and what was approved and is not"
        " collected yet is worth nothing.",
        do=_set_password,
        answers={204: Nothing()},
        body_title="SetUserPasswordRequest",
        body=(
            Field("password", Text(_LONGEST, 1), "The password.", True),
            Field(
                "skip_password_check",
                Flag(),
                "Whether it is taken though the server's rules for passwords are against it.",
                is_nullable=True,
                default=False,
            ),
        ),
        refuses={404: "There is no such account."},
        is_for_main=True,
    ),
)
