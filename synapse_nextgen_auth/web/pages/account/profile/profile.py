"""Name and picture of an account, and the addresses by which its person can be reached (C303)."""

from synapse_nextgen_auth.accounts.management import Done, Place, Target
from synapse_nextgen_auth.flows.as_signed_in import look
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.media import Picture
from synapse_nextgen_auth.homeserver.people.profiles import LONGEST_NAME, Refusal, Refused
from synapse_nextgen_auth.store.own_ways import EMAIL, PHONE
from synapse_nextgen_auth.web import answers, own_ways
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.profile.page import (
    AddressLine,
    NameProblem,
    ProfilePage,
)
from synapse_nextgen_auth.web.pages.content import initial
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.visits import Visit

_PROBLEMS = {Refusal.TOO_LONG: (NameProblem.TOO_LONG, 400)}
_OF_PICTURES = {
    Refusal.SUSPENDED: 403,
    Refusal.NOT_ALLOWED: 403,
    Refusal.TOO_LARGE: 413,
    Refusal.ELSEWHERE: 404,
}
# Where there is no picture: grey, which goes with the colours of every operator.
_LETTER = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><style>
rect{fill:#e3e6eb}text{fill:#171b22;font:650 14px sans-serif;text-anchor:middle}
@media(prefers-color-scheme:dark){rect{fill:#2f3641}text{fill:#e8ebf0}}
</style><rect width="24" height="24"/><text x="12" y="17">%s</text></svg>"""


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Show what there is."""
    return await _page(visit, user_id)


async def submit(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Change the name, or take the picture away, as far as this server lets people."""
    decision = form.get("decision")
    if decision not in {"name", "remove-picture"}:
        raise unknown_choice()
    name = form.get("display_name", "").strip()
    await visit.site.homeserver.run(visit.as_signed_in(look))
    try:
        if decision == "name":
            await visit.site.profiles.set_name(user_id, name)
        else:
            await visit.site.profiles.remove_picture(user_id)
    except Refused as refused:
        problem, status = _PROBLEMS.get(refused.why, (NameProblem.NOT_ALLOWED, 403))
        return await _page(visit, user_id, typed=name, problem=problem, status=status)
    done = Done.NAME_CHANGED if decision == "name" else Done.PICTURE_REMOVED
    return answers.redirect(visit.saying(Place.PROFILE.value, done))


async def picture(visit: Visit, user_id: str) -> Outgoing:
    """Answer with the picture of the account, or with its letter where that cannot be read here."""
    found = await visit.site.profiles.picture(user_id)
    if found is None:
        # A letter or digit, so nothing in it has to be escaped.
        found = Picture((_LETTER % initial(user_id)).encode(), "image/svg+xml")
    return Outgoing(
        200,
        found.content,
        (
            ("Content-Type", found.content_type),
            ("Cache-Control", "no-store"),
            answers.NOSNIFF,
            ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
        ),
    )


async def take_picture(visit: Visit, user_id: str, content: bytes) -> Outgoing:
    """Let the account have a picture that the script of the page sends; say what is wrong with it."""
    await visit.site.homeserver.run(visit.as_signed_in(look))
    try:
        await visit.site.profiles.set_picture(user_id, content)
    except Refused as refused:
        return answers.json_answer(_OF_PICTURES.get(refused.why, 400), {"error": refused.why.value})
    next_url = visit.saying(Place.PROFILE.value, Done.PICTURE_CHANGED)
    return answers.json_answer(200, {"next": next_url})


async def _page(
    visit: Visit,
    user_id: str,
    *,
    typed: str | None = None,
    problem: NameProblem | None = None,
    status: int = 200,
) -> Outgoing:
    site = visit.site
    profile = await site.profiles.of(user_id)
    threepids = await site.threepids.of(user_id)
    lines = [
        (
            each.medium,
            AddressLine(
                f"+{each.address}" if each.medium == PHONE else each.address,
                each.added_at,
                Target(Place.REMOVE_ADDRESS, own_ways.name(each.medium, each.address)).url,
            ),
        )
        for each in threepids
    ]
    page = ProfilePage(
        **console.of(visit, user_id, Target(Place.PROFILE)),
        action=Place.PROFILE.value,
        name=visit.typed.get("display_name", profile.name) if typed is None else typed,
        longest_name=LONGEST_NAME,
        picture_url=Place.AVATAR.value,
        largest_picture=site.profiles.largest,
        has_picture=profile.has_picture,
        may_name=profile.may_name,
        may_picture=profile.may_picture,
        is_suspended=profile.is_suspended,
        problem=problem,
        emails=tuple(line for medium, line in lines if medium == EMAIL),
        phones=tuple(line for medium, line in lines if medium == PHONE),
        may_change_addresses=site.threepids.may_change,
        takes_emails=site.threepids.takes_emails,
        takes_phones=site.threepids.takes_phones,
        email_url=Place.EMAIL.value,
        phone_url=Place.PHONE.value,
        deactivate_url=Place.DEACTIVATE.value,
    )
    return visit.answer(page, status)
