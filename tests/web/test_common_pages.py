"""A page that is the same for many people is made once, and is the same as if it were not."""

import attrs
import pytest

from support.pages import TEMPLATES, unused_templates
from synapse_nextgen_auth.web.pages.sign_in.page import SignInError, SignInPage
from synapse_nextgen_auth.web.pages.sign_in.samples import SAMPLES, SIGN_IN

COMMON = {name: page for name, page in SAMPLES[SignInPage].items() if page.is_common}


@attrs.frozen
class Plain(SignInPage):
    """The same page, made anew each time."""

    @property
    def is_common(self):
        return False


def plain(page):
    return Plain(**{field.name: getattr(page, field.name) for field in attrs.fields(SignInPage)})


@pytest.mark.parametrize("lang", ["ar", "de", "en", "ja"])
@pytest.mark.parametrize("name", COMMON)
def test_a_kept_page_is_what_it_would_be(name, lang):
    """At first and afterwards, for each visit; what is put in is escaped as a template does it."""
    templates = unused_templates()
    for csrf, action in (
        ("1.a", "sign-in"),
        ("2.b", "sign-in?a=1&b=\"<>'"),
        ("3.c", "sign-in?grant=x"),
    ):
        page = attrs.evolve(COMMON[name], csrf=csrf, action=action)

        assert templates.render(page, lang=lang) == TEMPLATES.render(plain(page), lang=lang)


def test_c198_what_others_call_themselves_takes_nothing_of_a_visit():
    """Not even the names of what is put in are known to anybody."""
    client = attrs.evolve(SIGN_IN.client, name="csrf action csrf- action-")
    html = unused_templates().render(attrs.evolve(SIGN_IN, client=client, csrf="9.secret"))

    assert html.count("9.secret") == html.count('name="csrf"')
    assert "csrf action csrf- action-" in html


@pytest.mark.parametrize(
    "fields",
    [
        {"identifier": "alice"},
        {"error": SignInError.WRONG_PASSWORD},
        {"again": "@alice:example.org"},
        {"asked_for": "@alice:example.org"},
    ],
    ids=str,
)
def test_what_is_about_a_person_is_not_kept(fields):
    assert not attrs.evolve(SIGN_IN, **fields).is_common


def test_no_more_are_kept_than_a_hundred():
    """Names of applications are chosen by strangers."""
    templates = unused_templates()
    for n in range(250):
        client = attrs.evolve(SIGN_IN.client, name=f"Application {n}")
        templates.render(attrs.evolve(SIGN_IN, client=client))

    assert len(templates._common) <= 100
