"""Samples of the page on which a person chooses how they read."""

import attrs

from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.language.page import LanguageLine, LanguagePage, ZoneLine
from synapse_nextgen_auth.web.pages.samples import LONG, LONG_ID

LANGUAGE = LanguagePage(
    csrf="c5rf",
    action="language",
    server_name="example.org",
    languages=(
        LanguageLine("de", "Deutsch"),
        LanguageLine("en", "English", is_chosen=True),
        LanguageLine("pt-BR", "Português (Brasil)"),
        LanguageLine("el", "Ελληνικά"),
        LanguageLine("he", "עברית"),
        LanguageLine("zh-Hans", "简体中文"),
    ),
    zones=(
        ZoneLine("Europe/Berlin", "Germany (Berlin) Time", is_chosen=True),
        ZoneLine("Asia/Kolkata", "India Time"),
        ZoneLine("UTC", "UTC"),
    ),
    usual_zone="UTC",
    came_from="sign-in?grant=8a1f",
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    LanguagePage: {
        "plain": LANGUAGE,
        "signed_in": attrs.evolve(LANGUAGE, account="@alice:example.org"),
        "as_the_browser_says": attrs.evolve(
            LANGUAGE,
            languages=tuple(attrs.evolve(each, is_chosen=False) for each in LANGUAGE.languages),
            zones=tuple(attrs.evolve(each, is_chosen=False) for each in LANGUAGE.zones),
            came_from=None,
        ),
        "long": attrs.evolve(
            LANGUAGE,
            account=LONG_ID,
            server_name=LONG,
            languages=(LanguageLine("sv", LONG, is_chosen=True), *LANGUAGE.languages),
            zones=(ZoneLine("America/Argentina/ComodRivadavia", LONG, is_chosen=True),),
        ),
    },
}
