"""The forms of the sign-in page: what was typed, and whose account it opens.

`login_type` says which form it is, and is absent in the one with the password. Its fields are
numbered, as their names are a module's own; the password is called `password`, for password managers.
"""

import attrs

from synapse_nextgen_auth.accounts.people import identify
from synapse_nextgen_auth.accounts.ways import PASSWORD, PASSWORD_FIELD, Way
from synapse_nextgen_auth.homeserver.people.passwords import (
    CouldNotCheck,
    Opened,
    PasswordsOff,
    TryLater,
    Wrong,
    is_too_long,
)
from synapse_nextgen_auth.oauth.tokens import session_tokens
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Secret
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.sign_in.page import SignInError
from synapse_nextgen_auth.web.site import Site


@frozen
class Failure:
    """Why a form comes back; `retry_after` in seconds, `user_id` whose account it is if known.

    `is_token` says that a token of ours was typed, for which the password is wrong anyway.
    """

    error: SignInError
    status: int
    retry_after: int | None = None
    user_id: str | None = None
    login_type: str | None = None
    is_token: bool = False


PASSWORDS_OFF = Failure(SignInError.PASSWORD_LOGIN_DISABLED, 403)


async def check(
    site: Site, form: Form, typed: str, login_type: str, *, address: str, again: bool
) -> Opened | Failure:
    """Return whose account what was typed opens, or why none.

    `typed` is who they say they are; `again` is whether they are signed in already.
    """
    checked = await _check(site, form, typed, login_type, address=address, again=again)
    if isinstance(checked, Failure):
        return attrs.evolve(checked, login_type=login_type)
    return checked


async def _check(
    site: Site, form: Form, typed: str, login_type: str, *, address: str, again: bool
) -> Opened | Failure:
    passwords = site.people.passwords
    ways = passwords.ways_again if again else passwords.ways
    way = ways.find(login_type)
    if way is None:
        return PASSWORDS_OFF
    answers = _answers(way, form)
    if not typed.strip() or any(not answers[name].reveal() for name in _needed(way)):
        return Failure(SignInError.MISSING_FIELDS, 400)
    if any(map(is_too_long, answers.values())):
        return Failure(SignInError.TOO_LONG, 400)
    identifier = identify(typed, server_name=site.server_name, by_phone=ways.phone)
    if identifier is None:
        return Failure(SignInError.WRONG_PASSWORD, 403)
    try:
        return await passwords.check(
            identifier, answers, login_type=login_type, address=address, again=again
        )
    except Wrong as wrong:
        if wrong.user_id is not None:
            site.people.failures.note(wrong.user_id, address)
        is_token = any(session_tokens.find(answer.reveal()) for answer in answers.values())
        return Failure(SignInError.WRONG_PASSWORD, 403, user_id=wrong.user_id, is_token=is_token)
    except TryLater as later:
        error = SignInError.BUSY if later.busy else SignInError.TOO_MANY_ATTEMPTS
        return Failure(error, 503 if later.busy else 429, later.retry_after)
    except CouldNotCheck as failed:
        return Failure(SignInError.UNCHECKED, 503, failed.retry_after)
    except PasswordsOff:
        return PASSWORDS_OFF


def _answers(way: Way, form: Form) -> dict[str, Secret]:
    return {
        field.name: Secret(form.get(name_of(way, number), ""))
        for number, field in enumerate(way.fields)
    }


def name_of(way: Way, number: int) -> str:
    """Return what a field of a way is called in its form."""
    if way.fields[number] == PASSWORD_FIELD:
        return PASSWORD_FIELD.name
    return f"field{number}"


def _needed(way: Way) -> list[str]:
    """Return which fields may not be empty; what a module wants beside a password is its affair."""
    if way.type == PASSWORD:
        return [PASSWORD_FIELD.name]
    return [field.name for field in way.fields]
