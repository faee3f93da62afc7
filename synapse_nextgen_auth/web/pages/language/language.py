"""The page on which a person chooses in which language they read, and in which time zone they are.

It is linked from the foot of every page. The choice is kept in a cookie, and for an account whose person
is signed in with that: their mails and other browsers follow.
"""

import contextlib
from collections.abc import Callable

import attrs

from synapse_nextgen_auth.flows.as_signed_in import SignedOut
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.store import preferences
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.web import answers, came_from, cldr, time_zones
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.language.page import LanguageLine, LanguagePage, ZoneLine
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.visits import Visit

PLACE = "language"
_AS_THE_BROWSER_SAYS = "auto"


async def show(visit: Visit) -> Outgoing:
    """List what there is, each language by its own name."""
    site, reader = visit.site, visit.reader
    languages = site.templates.languages
    chosen = reader.chosen_language
    zone = reader.chosen_time_zone
    known = time_zones.names() | ({zone} if zone else set())
    usual = site.config.languages.time_zone
    page = LanguagePage(
        csrf=visit.csrf,
        action=PLACE,
        server_name=site.server_name,
        languages=tuple(
            LanguageLine(tag, name, is_chosen=tag == chosen)
            for tag, name in sorted(languages.names.items(), key=lambda each: each[1].casefold())
        ),
        zones=tuple(
            ZoneLine(name, words, is_chosen=name == zone)
            for name, words in cldr.places(languages.get(reader.language).locale, known)
        ),
        usual_zone=usual,
        account=visit.user_id,
        came_from=visit.came_from,
    )
    return visit.answer(page)


async def submit(visit: Visit, form: Form) -> Outgoing:
    """Keep the choice, and go back to where it was made."""
    site, now = visit.site, visit.site.now()
    choice, decision = visit.reader.choice, form.get("decision", "")
    note: Callable[[Txn, str], None]
    if decision == "time-zone":
        zone = form.get("time_zone") or None
        if zone is not None and not time_zones.is_known(zone):
            raise unknown_choice()
        choice = attrs.evolve(choice, time_zone=zone)

        def note(txn: Txn, user_id: str) -> None:
            preferences.choose_time_zone(txn, user_id, zone, now=now)

    else:
        language = None if decision == _AS_THE_BROWSER_SAYS else decision
        if language is not None and language not in site.templates.languages.tags:
            raise unknown_choice()
        choice = attrs.evolve(choice, language=language, at=now)

        def note(txn: Txn, user_id: str) -> None:
            preferences.choose_language(txn, user_id, language, now=now)

    if visit.user_id is not None:
        with contextlib.suppress(SignedOut):  # it is this browser's all the same
            await site.homeserver.run(visit.as_signed_in(note), visit.user_id)
    back = came_from.page_of_ours(form.get("came_from", "")) or PLACE
    return answers.redirect(back, site.choice_cookie.write(choice))
