"""What a template's words are in another language, and what a bad catalogue cannot do."""

import logging
import subprocess
import sys

import attrs
import pytest
from jinja2 import Environment

from support.catalogues import copied, templates_with
from support.pages import BASE, Read
from synapse_nextgen_auth.accounts.approvals import Operation
from synapse_nextgen_auth.web import formats, translations
from synapse_nextgen_auth.web.pages.approve.page import ApprovedPage
from synapse_nextgen_auth.web.pages.sign_in.page import SignInError
from synapse_nextgen_auth.web.pages.sign_in.samples import SIGN_IN
from synapse_nextgen_auth.web.templates import Templates
from synapse_nextgen_auth.web.translations import Languages

APPROVED = ApprovedPage(Operation.CROSS_SIGNING_RESET, "example.org", 10)
SUBTITLE = "with your account on <bdi>%(server_name)s</bdi>"
MINUTES = (
    "Go back and finish there within <strong>%(num)s minute</strong>.",
    "Go back and finish there within <strong>%(num)s minutes</strong>.",
)


@pytest.fixture
def said(tmp_path):
    """Return a function that says what a page says in German where the catalogue is this."""

    def said_(page, messages, inside="main", **languages):
        templates = templates_with(tmp_path, de=messages, **languages)
        return Read(templates.render(page, lang="de")).text(inside)

    return said_


def test_a_page_speaks_the_language_it_is_asked_for(tmp_path):
    """One environment and one compiled template serve every language, one after the other."""
    templates = templates_with(tmp_path, de={"Sign in": "Anmelden"}, ar={"Sign in": "تسجيل الدخول"})
    pages = {lang: Read(templates.render(SIGN_IN, lang=lang)) for lang in ("de", "en", "ar", "de")}

    assert {lang: page.text("h1") for lang, page in pages.items()} == {
        "de": "Anmelden",
        "en": "Sign in",
        "ar": "تسجيل الدخول",
    }
    assert [page.all("html") for page in pages.values()] == [
        [{"lang": "de", "dir": "ltr"}],
        [{"lang": "en", "dir": "ltr"}],
        [{"lang": "ar", "dir": "rtl"}],
    ]


def test_what_is_not_translated_is_english(said):
    """A catalogue that lags behind its templates leaves no hole."""
    assert "To continue to" in said(SIGN_IN, {"Sign in": "Anmelden"})


@pytest.mark.parametrize(("num", "says"), [(1, "eine Minute"), (2, "2 Minuten"), (1000, "1.000")])
def test_a_number_chooses_its_form(said, num, says):
    """By the plural rules of the language, and written as it writes numbers."""
    page = attrs.evolve(APPROVED, minutes=num)
    forms = ("<strong>eine Minute</strong>.", "<strong>%(num)s Minuten</strong>.")

    assert says in said(page, {MINUTES: forms})


@pytest.mark.parametrize(
    ("num", "form"), [(0, "0"), (1, "1"), (2, "2"), (3, "3"), (10, "3"), (11, "4"), (100, "5")]
)
def test_a_language_may_have_six_forms(tmp_path, num, form):
    """Arabic has."""
    forms = tuple(f"<strong>({each})</strong>" for each in range(6))
    templates = templates_with(tmp_path, ar={MINUTES: forms})
    page = ApprovedPage(APPROVED.operation, "example.org", num)

    assert f"({form})" in Read(templates.render(page, lang="ar")).text("strong")


def test_c198_values_are_escaped_inside_a_translation(said, tmp_path):
    """A translator's text is trusted, what it is filled with is not."""
    page = attrs.evolve(SIGN_IN, server_name="<svg onload=alert(1)>%(server_name)s")
    text = said(page, {SUBTITLE: "mit deinem Konto auf <bdi>%(server_name)s</bdi>"})

    assert "mit deinem Konto auf <svg onload=alert(1)>%(server_name)s" in text


@pytest.mark.parametrize(
    "translated",
    [
        "mit deinem Konto",
        "mit deinem Konto auf <bdi>%(server)s</bdi>",
        "mit deinem Konto auf <bdi>%(server_name)s</bdi> %(client)s",
        "mit deinem Konto auf <bdi>%(server_name)s</bdi> 100 %",
        "mit deinem Konto auf <bdi>%(server_name)d</bdi>",
        "mit deinem Konto auf <bdi>%s %(server_name)s</bdi>",
        "mit deinem Konto auf <b>%(server_name)s</b>",
        "mit deinem Konto auf <bdi>%(server_name)s",
        "mit deinem Konto auf <bdi>%(server_name)s</bdi><script>alert(1)</script>",
        "mit deinem Konto auf <bdi onclick=alert(1)>%(server_name)s</bdi>",
    ],
)
def test_a_translation_that_does_not_fit_is_left_out(said, caplog, translated):
    """Its readers get the English sentence, the rest in their language, and the operator a line."""
    text = said(SIGN_IN, {SUBTITLE: translated, "Sign in": "Anmelden"})

    assert text.startswith("Anmelden with your account on example.org")
    assert len(caplog.records) == 1
    assert "that is shown in English" in caplog.text


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe",
        b'msgid "unfinished',
        b"nothing of gettext",
        b'msgid ""\nmsgstr "Content-Type: text/plain; charset=nonsense\\n"\n',
        b'msgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=__import__(0);\\n"\n',
        b'msgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=1/(n-n);\\n"\n',
        b'msgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=1/(n-7);\\n"\n',
        b'msgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=n%3;\\n"\n',
    ],
)
def test_a_broken_catalogue_is_english(tmp_path, caplog, content):
    """Nobody's sign-in fails for it; the log says once what is wrong."""
    directory = copied(tmp_path)
    (directory / "languages" / "de.po").write_bytes(content)
    templates = Templates(BASE, directory=directory)
    pages = [Read(templates.render(SIGN_IN, lang="de")) for _ in range(2)]

    for page in pages:
        assert page.all("html") == [{"lang": "en", "dir": "ltr"}]
        assert page.text("h1") == "Sign in"
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "de.po" in caplog.text


def test_a_catalogue_that_vanished_is_english(tmp_path, caplog):
    """An upgrade may replace the files below a process that runs."""
    templates = templates_with(tmp_path, de={"Sign in": "Anmelden"})
    (tmp_path / "languages" / "de.po").unlink()

    assert Read(templates.render(SIGN_IN, lang="de")).text("h1") == "Sign in"


@pytest.mark.parametrize("region", ["de_AT", "de_DE"])
def test_what_a_region_leaves_out_is_that_of_its_language(tmp_path, region):
    """Message by message, before English; so a file of a region may have a few words, or none yet."""
    mine = {"Sign in": "Einloggen", SUBTITLE: "", MINUTES: ("", "")}
    rest = {
        "Sign in": "Anmelden",
        SUBTITLE: "mit deinem Konto auf <bdi>%(server_name)s</bdi>",
        MINUTES: ("<strong>eine Minute</strong>", "<strong>%(num)s Minuten</strong>"),
    }
    templates = templates_with(tmp_path, **{region: mine, "de": rest})
    tag = region.replace("_", "-")
    text = Read(templates.render(SIGN_IN, lang=tag)).text("main")

    assert text.startswith("Einloggen mit deinem Konto auf example.org")
    assert "10 Minuten" in Read(templates.render(APPROVED, lang=tag)).text("main")
    assert Read(templates.render(SIGN_IN, lang="de")).text("h1") == "Anmelden"


@pytest.mark.parametrize(
    ("tag", "others", "below"),
    [
        ("de-AT", ["de", "de-AT"], "de"),
        ("de", ["de", "de-AT"], None),
        ("zh-Hant-HK", ["zh-Hans", "zh-Hant", "zh-Hant-HK"], "zh-Hant"),
        # Another script is no help.
        ("zh-Hant", ["zh-Hans", "zh-Hant"], None),
        ("sr-Latn", ["sr", "sr-Latn"], None),
        # As their readers get without it.
        ("pt-PT", ["pt-BR", "pt-PT"], "pt-BR"),
        ("nn", ["nb", "nn"], "nb"),
        ("pt-BR", ["pt", "pt-BR"], "pt"),
        ("pt", ["pt", "pt-BR"], None),
    ],
)
def test_which_language_says_the_rest(tmp_path, tag, others, below):
    for each in others:
        (tmp_path / f"{each}.po").touch()

    assert Languages(tmp_path)._below(tag) == below


def test_a_fuzzy_translation_is_nobodys_word(tmp_path):
    """It was guessed when its message changed, and waits for a person."""
    templates = templates_with(tmp_path, de={"Sign in": "Anmelden"})
    path = tmp_path / "languages" / "de.po"
    path.write_text(path.read_text().replace('msgid "Sign in"', '#, fuzzy\nmsgid "Sign in"'))

    assert Read(templates.render(SIGN_IN, lang="de")).text("h1") == "Sign in"


def test_the_languages_are_the_files_and_english(tmp_path):
    """A new language is one file more."""
    for name in ("pt-BR.po", "ar.po", "notes.txt"):
        (tmp_path / name).touch()

    assert Languages(tmp_path).tags == ("ar", "en", "pt-BR")


PROGRAM = """
import sys
import attrs
from synapse_nextgen_auth.web.pages.sign_in.page import SignInError
from synapse_nextgen_auth.web.pages.sign_in.samples import SIGN_IN
from synapse_nextgen_auth.web.templates import Templates

def loaded():
    return any(name.partition(".")[0] == "babel" for name in sys.modules)

templates = Templates("/x")
said = [loaded()]
templates.render(SIGN_IN)
said.append(loaded())
templates.render(attrs.evolve(SIGN_IN, error=SignInError.BUSY, retry_after=9))
print(*said, loaded())
"""


def test_nobody_waits_for_what_nobody_reads():
    """A process that shows no page, or English ones, does not load the library for translations."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["False", "False", "True"]


@pytest.fixture
def environment():
    environment = Environment(autoescape=True)
    translations.install(environment)
    formats.install(environment)
    return environment


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{% trans %}100 %{% endtrans %}", "100 %"),
        ("{{ _('100 %%') }}", "100 %"),
        ("{{ _('%(a)s', a='<') }}", "&lt;"),
        ("{{ _('%(a)s', a=a) }}", "&lt;b&gt;"),
        ("{{ gettext('<b>%(a)s</b>', a=a) }}", "<b>&lt;b&gt;</b>"),
        ("{% trans num=1 %}one{% pluralize %}{{ num }} of them{% endtrans %}", "one"),
        (
            "{% trans num=12345 %}one{% pluralize %}{{ num }} of them{% endtrans %}",
            "12,345 of them",
        ),
        ("{% trans 'verb' a=a %}{{ a }}{% endtrans %}", "&lt;b&gt;"),
        ("{% trans 'verb' num=3 %}one{% pluralize %}{{ num }}{% endtrans %}", "3"),
        ("{% set words = N_('later') %}{{ _(words) }}", "later"),
        (
            '<i title="{% trans %}a "b" \'c\'{% endtrans %}">',
            '<i title="a &#34;b&#34; &#39;c&#39;">',
        ),
        ("""{{ _('<a href="%(a)s">"%(b)s"</a>', a=1, b=2) }}""", '<a href="1">&#34;2&#34;</a>'),
    ],
)
def test_words_of_templates(environment, template, words):
    """English is the text itself, escaped where it was filled."""
    assert environment.from_string(template).render(a="<b>") == words


@pytest.mark.parametrize("kind", SignInError)
def test_a_page_with_every_message_translated_still_works(said, kind):
    """Whatever an error says, its translation is in its place."""
    assert said(attrs.evolve(SIGN_IN, error=kind), {"Sign in": "Anmelden"})
