"""A page that has to be answered in time says so before it is too late (WCAG 2.2.1)."""

import attrs
import pytest

from support.gallery import SAMPLES
from support.pages import TEMPLATES, Read
from synapse_nextgen_auth.web import digits
from synapse_nextgen_auth.web.pages.account.frame import ConsolePage
from synapse_nextgen_auth.web.pages.records import PAGES

LEFT = "You have 7 minutes for this page. After that, begin again."

# A form of each lasts a day. Where it does something dangerous and the last proof is too old by then,
# the person proves again who they are, and finds what they had typed.
DANGEROUS = {
    "ConnectPage",
    "DeactivatePage",
    "DisconnectPage",
    "EndAppPage",
    "EndDevicePage",
    "EndSeveralPage",
    "EndTokenPage",
    "OwnPasswordPage",
    "RemoveAddressPage",
    "RemoveAppPage",
    "RemovePasskeyPage",
    "RemovePasswordPage",
    "ResetPage",
}
# Nothing but the day.
A_DAY = {
    "EndSessionPage",
    "HomePage",
    "LanguagePage",
    "LinkPage",
    "RecoveryCodesPage",
    "RecoveryPage",
    "StopPage",
    "TokenMadePage",
}
OTHERWISE = {
    "ApprovePage",  # says with its facts until when it is good
    "AddPasskeyPage",  # a browser that is asked too late is asked again, with the same name
}


def has_form(page):
    return "csrf" in {field.name for field in attrs.fields(page)}


def test_of_every_form_it_is_decided_whether_it_has_a_limit():
    """The pages of an account are looked after for as long as somebody is signed in."""
    without = {
        page.__name__
        for page in PAGES
        if has_form(page) and not page.is_timed and not issubclass(page, ConsolePage)
    }

    assert without == DANGEROUS | A_DAY | OTHERWISE
    assert all(has_form(page) for page in PAGES if page.is_timed)


@pytest.mark.parametrize("name", [name for name, page in SAMPLES.items() if page.is_timed])
def test_a_page_with_a_limit_says_how_much_is_left(name):
    """Beside the form, in words; and says nothing where nothing ends."""
    page = SAMPLES[name]

    assert LEFT in Read(TEMPLATES.render(page, minutes_left=7)).text("main")
    assert "After that, begin again." not in Read(TEMPLATES.render(page)).text("main")


def test_a_page_that_is_kept_for_others_says_what_is_left_to_each():
    """The sign-in page is made once for many people."""
    page = next(page for page in SAMPLES.values() if page.is_common)
    said = [
        Read(TEMPLATES.render(page, minutes_left=left)).text("main") for left in (7, 6, 7, None)
    ]

    assert [LEFT in each for each in said] == [True, False, True, False]
    assert LEFT.replace("7", "6") in said[1]


@pytest.mark.parametrize("tag", TEMPLATES.languages.tags)
@pytest.mark.parametrize("left", [1, 2, 30])
def test_every_language_says_it_with_its_number(tag, left):
    """As far as the language counts that far: some say "one" and "two" in a word."""
    page = SAMPLES["ConsentPage plain"]
    said = Read(TEMPLATES.render(page, lang=tag, minutes_left=left)).text("main")
    more = said.removeprefix(Read(TEMPLATES.render(page, lang=tag)).text("main"))

    assert len(more) > 10
    assert digits.written(str(left), tag) in more or tag in {"ar", "he"}
