"""Which languages a reader wants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.incoming import incoming
from synapse_nextgen_auth.accounts.preferences import Preferences
from synapse_nextgen_auth.config import Languages
from synapse_nextgen_auth.homeserver.people.reading import Reading
from synapse_nextgen_auth.oauth import languages as tags
from synapse_nextgen_auth.web.choices import Choice, ChoiceCookie
from synapse_nextgen_auth.web.languages import Asked, wanted


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        ("fr", ("fr",)),
        ("fr, de", ("fr", "de")),
        ("de;q=0.5,fr", ("fr", "de")),
        ("de;q=0.5,fr;q=0.9,en;q=0.8", ("fr", "en", "de")),
        ("de; q=0.5, fr ;q=0.9 , en ; q=0.8", ("fr", "en", "de")),
        ("de;Q=0.5,fr", ("fr", "de")),
        ("en;q=0,fr", ("fr",)),
        ("en;q=0.000,fr", ("fr",)),
        ("de;q=1.000,fr;q=1", ("de", "fr")),
        ("en-GB,en;q=0.9,*;q=0.1", ("en-GB", "en")),
        ("", ()),
        (",,;q=1,", ()),
        ("fr;q=2,de", ("de",)),
        ("fr;q=1.5,de", ("de",)),
        ("fr;q=,de", ("de",)),
        ("fr;q=-1,de", ("de",)),
        ("<script>, de", ("de",)),
        ("fr\u00e9, de", ()),
    ],
)
def test_the_browsers_languages_by_weight(header, languages):
    """RFC 9110 section 12.5.4; nonsense is skipped."""
    assert wanted(incoming(("Accept-Language", header))) == languages


def test_what_the_client_asks_for_comes_first():
    """OpenID Connect Core: `ui_locales` is in order of preference."""
    asked = wanted(incoming(("Accept-Language", "de")), Asked("fr-CA fr"))

    assert asked == ("fr-CA", "fr", "de")


@pytest.mark.parametrize(
    ("asked_at", "chosen_at", "first"),
    [(100, 50, "fr"), (100, 100, "nl"), (100, 150, "nl"), (None, 399, "fr"), (None, 400, "nl")],
)
def test_a_choice_that_was_made_after_the_application_asked_comes_before_that(
    asked_at, chosen_at, first
):
    """Whoever presses a language on a page means that page."""
    header = incoming(("Accept-Language", "de"))
    asked, choice = Asked("fr", asked_at), Choice("nl", at=chosen_at)

    found = wanted(header, asked, choice=choice, account="sv", now=1000)

    assert found[0] == first
    assert set(found[:2]) == {"fr", "nl"}
    assert found[2:] == ("sv", "de")


def test_many_wishes_of_an_application_hide_no_choice():
    """A list without an end is cut."""
    found = wanted(incoming(), Asked("x " * 400), choice=Choice("nl", at=10_000), now=10_000)

    assert found[0] == "nl"


CHOICES = st.builds(
    Choice,
    language=st.none() | st.sampled_from(["de", "pt-BR", "zh-Hans"]),
    time_zone=st.none() | st.sampled_from(["UTC", "Europe/Berlin", "America/Port-au-Prince"]),
    at=st.integers(0, 10**11),
)


@given(CHOICES, st.booleans())
def test_what_was_chosen_comes_back(choice, is_https):
    """As the browser sends it, among cookies of others."""
    cookie = ChoiceCookie(is_https=is_https)
    name, header = cookie.write(choice)
    pair, *attributes = header.split("; ")
    sent = [b"a=b; " + pair.encode(), b"c=d"]

    assert name == "Set-Cookie"
    assert {"Path=/", "HttpOnly", "SameSite=Lax"} <= set(attributes)
    assert ("Secure" in attributes) == is_https
    if choice.is_empty:
        assert "Max-Age=0" in attributes
    else:
        assert cookie.read(sent) == choice


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "de",
            "de.x.",
            "de.1",
            "de.1.Europe/<b>",
            "de.1.a b",
            "<script>.1.",
            "de.-1.",
            "\xff.1.",
        ),
        *(
            "d" * 36 + ".1.",
            "de." + "1" * 13 + ".",
            "de.1." + "a" * 65,
            "de.1.;nextgen_language=fr.1.",
        ),
    ],
)
def test_c030_an_odd_cookie_is_no_choice(value):
    """Whoever wrote it."""
    header = f"nextgen_language={value}".encode("latin-1")

    assert ChoiceCookie(is_https=False).read([header]) == Choice()


@pytest.mark.parametrize(
    "ui_locales",
    ["../../etc/passwd", "x" * 10_000, "a " * 10_000, "tlh", "\u202e", "<svg onload=x>", " ", "\n"],
)
def test_c030_nonsense_finds_no_language(ui_locales):
    """The default is shown, whatever was asked for."""
    asked = wanted(incoming(), Asked(ui_locales))

    assert len(asked) <= 20
    assert tags.lookup(["en", "fr"], asked) is None


def test_c030_nonsense_hides_no_wish_of_the_browser():
    """A known language behind an unknown one is found."""
    asked = wanted(incoming(("Accept-Language", "fr")), Asked("../../etc/passwd tlh"))

    assert tags.lookup(["en", "fr"], asked) == "fr"


@given(st.text(st.characters(codec="ascii")), st.none() | st.text())
def test_any_wish_is_answered(header, ui_locales):
    """With a short list."""
    asked = wanted(incoming(("Accept-Language", header)), Asked(ui_locales) if ui_locales else None)

    assert len(asked) <= 20
    assert all(asked)


class Stored:
    """A homeserver that knows how one account reads."""

    def __init__(self, preferences):
        self.preferences = preferences

    async def read(self, _select, _user_id):
        return self.preferences


@pytest.mark.parametrize(
    ("chosen", "last", "written"),
    [
        ("fr", "de", "fr"),
        (None, "de", "de"),
        ("tlh", "de", "de"),
        ("tlh", "tlh", "nl"),
        ("de-CH", None, "de"),
        (None, None, "nl"),
    ],
)
def test_a_language_that_is_gone_gives_way_to_the_next_one(chosen, last, written):
    """In mails, too: the choice, the last sign-in, and the server's own before English."""
    stored = Stored(Preferences("@a:example.org", chosen, None, 0, last))
    reads = Reading(stored, Languages(default="nl"), ("de", "en", "fr", "nl")).of("@a:example.org")
    with pytest.raises(StopIteration) as done:
        reads.send(None)

    assert done.value.value.language == written


def test_nothing_is_known_of_an_account_that_never_signed_in():
    reads = Reading(Stored(None), Languages(default="nl"), ("en", "nl")).of("@a:example.org")
    with pytest.raises(StopIteration) as done:
        reads.send(None)

    assert done.value.value.language == "nl"
