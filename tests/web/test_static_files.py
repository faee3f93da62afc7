"""The files that pages load, and the style sheet among them."""

import re

import pytest

from support.pages import BASE, STYLE, TEMPLATES, read
from synapse_nextgen_auth.web.pages.message.samples import MESSAGE


def test_c205_a_static_file_is_found_by_its_hash():
    """The address changes with the content, so that it may be kept for ever."""
    (sheet,) = [link for link in read(MESSAGE).all("link") if link["rel"] == "stylesheet"]
    found = TEMPLATES.static_file(sheet["href"].removeprefix(f"{BASE}/static/"))

    assert re.fullmatch(rf"{BASE}/static/[0-9a-f]{{16}}/style\.css", sheet["href"])
    assert found.content == STYLE.encode()
    assert found.content_type == "text/css; charset=utf-8"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "style.css",
        "/style.css",
        "0000000000000000/style.css",
        "../base.html",
        "..%2fbase.html",
        "..\\base.html",
        "{good}/../style.css",
        "{good}%00",
        "{good}\x00",
        "{good}/",
        "/{good}",
        "{upper}",
    ],
)
def test_c205_nothing_else_is_a_static_file(name):
    """A name that is not exactly one of ours leads nowhere, however it is spelled."""
    (sheet,) = [link for link in read(MESSAGE).all("link") if link["rel"] == "stylesheet"]
    good = sheet["href"].removeprefix(f"{BASE}/static/")

    assert TEMPLATES.static_file(good)
    assert TEMPLATES.static_file(name.format(good=good, upper=good.upper())) is None


def test_the_stylesheet_loads_nothing():
    """Pictures are drawn in the pages; no address leads out of it."""
    assert "@import" not in STYLE
    assert "url(" not in STYLE


PHYSICAL = re.compile(
    r"^\s*(?:(?:margin|padding|border|inset|scroll)[-\w]*-(?:left|right)[-\w]*|left|right)\s*:"
    r"|(?:text-align|justify-\w+|float|clear|caption-side)\s*:\s*(?:left|right)"
    r"|border-(?:top|bottom)-(?:left|right)-radius"
    # Four lengths, of which the second and the fourth differ, are top, right, bottom and left.
    r"|(?:margin|padding|inset|border-width)\s*:\s*[^\s()]+ ([^\s()]+) [^\s()]+ (?!\1;)[^\s()]+;",
    re.MULTILINE,
)


def rules(sheet):
    """Return what the rules at the top of a style sheet are for, those in `@media` and the like not."""
    depth, found = 0, []
    for piece in re.finditer(r"([^{}]*)\{|\}", re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)):
        if piece[0] == "}":
            depth -= 1
            continue
        selector = " ".join(piece[1].split())
        if depth == 0 and not selector.startswith("@"):
            found.append(selector)
        depth += 1
    return found


def test_a_second_rule_takes_nothing_back():
    """One for the same thing further down wins, in colours that nobody compared."""
    found = rules(STYLE)

    assert len(found) > 50
    assert [one for one in set(found) if found.count(one) > 1] == []
    assert rules("a { b: c } @media x { a { b: d } } a{}") == ["a", "a"]


def test_the_stylesheet_knows_no_left_and_no_right():
    """What begins a line in English ends it in Arabic: only logical properties turn by themselves."""
    assert [found[0] for found in PHYSICAL.finditer(STYLE)] == []


@pytest.mark.parametrize(
    ("rule", "is_physical"),
    [
        ("  margin-left: 1rem;", True),
        ("  padding-right: 0;", True),
        ("  left: 0;", True),
        ("  text-align: right;", True),
        ("  float: left;", True),
        ("  border-left: 1px solid;", True),
        ("  border-top-left-radius: 1px;", True),
        ("  padding: 1px 2px 1px 3px;", True),
        ("  padding: 1px 2px 1px 2px;", False),
        ("  margin-inline-start: 1rem;", False),
        ("  inset-inline-end: 0;", False),
        ("  text-align: start;", False),
        ("  justify-content: left;", True),
    ],
)
def test_a_side_is_noticed(rule, is_physical):
    """The search can fail."""
    assert bool(PHYSICAL.search(f".a {{\n{rule}\n}}")) == is_physical


def colours(block):
    """Return the named colours of a piece of the stylesheet."""
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))


LIGHT = colours(STYLE.partition("@media (prefers-color-scheme: dark)")[0])


DARK = LIGHT | colours(STYLE.partition("@media (prefers-color-scheme: dark)")[2].partition("/*")[0])


def luminance(colour):
    """Return the relative luminance of a colour (WCAG 2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    """Return the contrast ratio of two colours (WCAG 2)."""
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        *[(front, back, 4.5) for front in ("text", "muted") for back in ("page", "card", "inset")],
        *[(front, back, 4.5) for front in ("accent", "accent-hover") for back in ("card", "inset")],
        *[("on-button", back, 4.5) for back in ("button", "button-hover")],
        *[("on-danger-button", back, 4.5) for back in ("danger-button", "danger-button-hover")],
        ("on-accent-tint", "accent-tint", 4.5),
        ("on-danger-tint", "danger-tint", 4.5),
        ("on-warning-tint", "warning-tint", 4.5),
        ("on-success-tint", "success-tint", 4.5),
        ("field-line", "card", 3),
        *[(edge, "card", 3) for edge in ("danger", "button", "danger-button")],
        ("danger", "danger-tint", 3),
        ("focus", "card", 3),
        ("focus", "page", 3),
    ],
)
def test_contrast_is_wcag_aa(scheme, front, back, least):
    """Text has 4.5:1 and the edges of controls 3:1 against what is behind them (WCAG 1.4.3, 11)."""
    assert contrast(scheme[front], scheme[back]) >= least
