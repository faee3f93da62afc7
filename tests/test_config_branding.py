"""The section `branding`: texts in languages, colours and links, and what is wrong with them."""

import pytest
import yaml

from synapse_nextgen_auth import config
from synapse_nextgen_auth.config import ConfigProblems
from synapse_nextgen_auth.config.brand import Shades
from synapse_nextgen_auth.oauth.languages import Wording


def read(text):
    """Return the section as an operator writes it."""
    return config.read({"branding": yaml.safe_load(text)}).branding


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("accent: '#ABC'", Shades("#aabbcc", None)),
        ("accent: {light: '#a1b2C3', dark: '#000'}", Shades("#a1b2c3", "#000000")),
        ("accent: {dark: '#000000'}", Shades(None, "#000000")),
        ("name: ' Chat '", Wording((("", "Chat"),))),
        ("name: {en: Chat, pt-BR: Bate-papo}", Wording((("en", "Chat"), ("pt-BR", "Bate-papo")))),
        # What joins or parts letters in Persian is no strange sign.
        ("name: 'گفت\u200cوگو'", Wording((("", "گفت\u200cوگو"),))),
    ],
)
def test_values_are_read_as_they_are_meant(text, value):
    branding = read(text)

    assert value in (branding.accent, branding.name)
    assert branding.is_set


def test_links_and_words_keep_our_order_and_their_lines():
    """A block of YAML ends with a line break, which nobody meant."""
    branding = read(
        "links: {status: 'https://s.example/', imprint: 'mailto:a@b.example?subject=x'}"
    )
    words = read('welcome: {sign_in: "One\\ntwo  \\n\\nthree\\n"}').welcome

    assert [name for name, _ in branding.links.urls] == ["imprint", "status"]
    assert words.texts == (("sign_in", Wording((("", "One\ntwo\n\nthree"),))),)


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        # A bare # begins a remark, and a colour that is not there would never be missed.
        (
            "accent: #7a3e9d",
            "accent",
            'expected a colour in quotes, such as "#2a56c6", got nothing: YAML takes what follows a'
            " bare # for a remark",
        ),
        ("background:\n  dark: #7a3e9d", "background.dark", "YAML takes what follows a bare #"),
        ("accent: '7a3e9d'", "accent", "got '7a3e9d'"),
        ("accent: '#7a3e9'", "accent", "got '#7a3e9'"),
        ("accent: '#7a3e9d;}body{x:y'", "accent", "got '#7a3e9d;}body{x:y'"),
        ("accent: red", "accent", "got 'red'"),
        ("accent: {bright: '#000'}", "accent.bright", "unknown option"),
        ("accent: {}", "accent", "expected a colour for light, for dark or for both"),
        ("background: 123456", "background", "got 123456"),
        ("name: ''", "name", "expected a text, got an empty text"),
        ('name: "a\\nb"', "name", "expected one line of at most 60 letters"),
        ("name: {en: Chat, 'x y': Chat}", "name.x y", "is not the tag of a language"),
        ("name: {en_GB: Chat}", "name.en_GB", "not the tag of a language, did you mean en-GB?"),
        ("name: {en: Chat, EN: Talk}", "name.EN", "is the same language as en: leave one"),
        ("name: {en: 5}", "name.en", "expected a text, got a number"),
        (
            "links: {imprint: 'http://example.com/'}",
            "links.imprint",
            "an https: or mailto: address",
        ),
        ("links: {imprint: 'javascript:alert(1)'}", "links.imprint", "https: or mailto:"),
        ("links: {imprint: 'https://a:b@example.com/'}", "links.imprint", "https: or mailto:"),
        ("links: {imprint: 'https:///x'}", "links.imprint", "https: or mailto:"),
        ("links: {support: 'mailto:nobody'}", "links.support", "https: or mailto:"),
        ("links: {support: {de: 'support@example.com'}}", "links.support.de", "https: or mailto:"),
        ("links: {imprnt: 'https://example.com/'}", "links.imprnt", "did you mean imprint?"),
        ("links: 'https://example.com/'", "links", "expected some of imprint, privacy, terms"),
        ("welcome: {signin: Hello}", "welcome.signin", "did you mean sign_in?"),
        ('welcome: {home: {en: "a\\tb"}}', "welcome.home.en", "expected a text of at most 1000"),
        ("logo: {light: a.svg}", "logo", "expected a text, got a mapping"),
        ("logos: a.svg", "logos", "unknown option; did you mean logo?"),
    ],
)
def test_a_mistake_is_told_at_its_place(text, path, words):
    with pytest.raises(ConfigProblems) as told:
        read(text)

    ((where, said),) = told.value.problems
    assert where == f"branding.{path}"
    assert words in said


def test_nothing_written_is_no_brand():
    """Then nothing is imported for one."""
    assert not config.read({}).branding.is_set
    assert not config.read({"branding": {}}).branding.is_set
