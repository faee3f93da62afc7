"""Times and waits in words, and names of accounts that wrap."""

from gettext import NullTranslations

import pytest
from jinja2 import Environment

from synapse_nextgen_auth.web import cldr, formats, translations

MORNING = 1795336800  # 2026-11-22 08:40 UTC


@pytest.mark.parametrize(
    ("locale", "seconds", "words"),
    [
        ("en", 0, "in 1 second"),
        ("en", 89, "in 89 seconds"),
        ("en", 90, "in 2 minutes"),
        ("en", 121, "in 3 minutes"),
        ("en", 5399, "in 90 minutes"),
        ("en", 5400, "in 2 hours"),
        ("en", 7201, "in 3 hours"),
        ("en", 40 * 3600, "in 2 days"),
        ("de", 121, "in 3 Minuten"),
        ("de", 1, "in 1 Sekunde"),
        ("ar", 120, "خلال دقيقتين"),
        ("ar", 180, "خلال 3 دقائق"),
        ("fa", 180, "۳ دقیقه بعد"),
        ("xx", 180, "in 3 minutes"),
    ],
)
def test_a_wait_is_rounded_up(locale, seconds, words):
    """Whoever comes back then does not come too early."""
    assert cldr.wait(seconds, locale) == words


@pytest.mark.parametrize(
    ("locale", "seconds", "words"),
    [
        ("en", 59, "59 seconds ago"),
        ("en", 60, "1 minute ago"),
        ("en", 180, "3 minutes ago"),
        ("de", 180, "vor 3 Minuten"),
        ("ar", 180, "قبل 3 دقائق"),
        ("fa", 180, "۳ دقیقه پیش"),
    ],
)
def test_what_was_is_so_long_ago(locale, seconds, words):
    assert cldr.ago(seconds, locale) == words


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", "November 22, 2026, 8:40\u202fAM UTC"),
        ("de", "22. November 2026, 08:40 UTC"),
        ("ar", "22 نوفمبر 2026، 8:40 ص UTC"),
        ("fa", "۲۲ نوامبر ۲۰۲۶،\u200f ۸:۴۰ UTC"),
        ("zz", "November 22, 2026, 8:40\u202fAM UTC"),
    ],
)
def test_a_time_is_written_as_its_readers_write_it(locale, words):
    """In UTC, and it says so."""
    assert cldr.moment(MORNING, locale) == words


@pytest.mark.parametrize("name", ["Mars/Olympus", "Factory", "localtime", "Europe", "/", "-"])
def test_a_zone_that_the_cldr_does_not_know_is_called_by_its_name(name):
    """It was chosen where there was one, or comes with a cookie."""
    assert cldr.places("de", [name]) == [(name, name)]
    assert cldr.moment(MORNING, "de", name).startswith("22. November 2026")


@pytest.mark.parametrize(("locale", "words"), [("en", "1,234"), ("de", "1.234"), ("ar", "1,234")])
def test_a_number_is_grouped(locale, words):
    assert cldr.number(1234, locale) == words


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("@alice:example.org", ["@alice:example.org"]),
        ("@alice.work:example.org", ["@alice", ".work", ":example", ".org"]),
        ("@lab-group_2:example.org:8448", ["@lab", "-group", "_2", ":example", ".org", ":8448"]),
        ("alice@mail.example.org", ["alice", "@mail", ".example", ".org"]),
        ("<script>:alert@example.org", ["&lt;script&gt;", ":alert", "@example", ".org"]),
    ],
)
def test_a_long_name_may_be_wrapped_between_its_parts(name, parts):
    """What fits into a line is left whole, and whoever copies a name gets no other characters."""
    template = Environment(autoescape=True)
    formats.install(template)

    assert template.from_string("{{ name|parts }}").render(name=name) == "<wbr>".join(parts)


@pytest.mark.parametrize(
    ("tag", "number", "words"),
    [
        ("en", 30, "30"),
        ("ar", 30, "30"),
        ("fa", 30, "۳۰"),
        ("fa", 1234, "\u06f1\u066c\u06f2\u06f3\u06f4"),
        ("hi", 123456, "1,23,456"),
    ],
)
def test_a_number_in_a_sentence_has_the_digits_of_the_language(tag, number, words):
    """A text that looks like one, a code, keeps its own."""
    environment = Environment(extensions=[], autoescape=True)
    translations.install(environment)
    template = environment.from_string("{% trans n=n, code=code %}{{ n }} {{ code }}{% endtrans %}")
    with translations.speaking(translations.Language(tag, "ltr", NullTranslations(), tag)):
        assert template.render(n=number, code="123456") == f"{words} 123456"
