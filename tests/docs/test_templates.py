"""What templates of operators count on is written down, and goes only with a word in the changelog."""

import importlib.util
import json
import re

import pytest

from support.markdown import DOCS, ROOT, blocks
from synapse_nextgen_auth.cli.templates import check
from synapse_nextgen_auth.cli.templates.operators import Operators
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.web.own_templates import names

RELEASED = ROOT / "tests/web/released_names.json"
CHANGELOG = ROOT / "changelog.d"


def generator():
    spec = importlib.util.spec_from_file_location("names", DOCS / "generate_templates.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_and_the_list_are_those_of_the_templates():
    """Whoever changes one runs `python docs/generate_templates.py`."""
    made = generator()

    assert made.NAMES.read_text("utf-8") == made.text_of_names()
    assert made.PAGE.read_text("utf-8") == made.page()


def test_every_macro_is_described():
    """By the comment before it in its template: whoever reads the page knows what it is for."""
    component = re.compile(r"^### (?:components/|emails/kit)")
    page = generator().page().partition("## Components")[2].partition("## Records")[0]
    parts = filter(component.match, re.split(r"^(?=### )", page, flags=re.MULTILINE))
    described = re.findall(r"^\| `.*", "".join(parts), re.MULTILINE)

    assert len(described) > 80
    assert [line for line in described if re.search(r"[|]\s*[|]$", line)] == []


def promised(known):
    """Yield each name of a list with where it is, and what it is."""
    for name, what in known["everywhere"].items():
        yield "everywhere", name, what
    for kind in ("static", "style"):
        yield from ((kind, name, "") for name in known[kind])
    for kind in ("templates", "records", "words"):
        for place, each in known[kind].items():
            yield place, "", ""
            if kind == "words":
                yield from ((place, word, "") for word in each)
                continue
            parts = (
                [each] if kind == "records" else [each.get("values", {}), each.get("macros", {})]
            )
            for part in parts:
                yield from ((place, name, what) for name, what in part.items())
            if kind == "templates":
                yield from ((place, name, "block") for name in each.get("blocks", ()))


def unsaid(released, present, changelog):
    """Return what went or changed since, and has no line of the changelog with both names in it."""
    now: dict[tuple[str, str], list[object]] = {}
    for place, name, what in promised(present):  # a block may be called as a value is
        now.setdefault((place, name), []).append(what)
    gone = [
        (place, name)
        for place, name, what in promised(released)
        if not any(what == each or _is_more(what, each) for each in now.get((place, name), ()))
    ]
    return [
        each
        for each in gone
        if not any(all(f"`{part}`" in line for part in each if part) for line in changelog)
    ]


def _is_more(before, now):
    """Say whether a macro only takes more, and nobody has to hand it that."""
    if not isinstance(before, list) or not isinstance(now, list) or now[: len(before)] != before:
        return False
    return all("=" in each or each.startswith("**") for each in now[len(before) :])


def lines_of_the_changelog():
    return [
        line
        for path in CHANGELOG.iterdir()
        if path.suffix in {".feature", ".removal", ".bugfix"}
        for line in path.read_text("utf-8").splitlines()
    ]


def test_nothing_of_it_goes_without_a_word():
    """A line of changelog.d names the template (or record) and the name, each between backticks."""
    released = json.loads(RELEASED.read_text("utf-8"))

    assert unsaid(released, names.known(), lines_of_the_changelog()) == []


BEFORE = {
    "everywhere": {"static": "a function"},
    "static": ["style.css"],
    "style": ["--radius"],
    "templates": {
        "base.html": {"blocks": ["main", "title"]},
        "components/x.html": {"macros": {"x": ["label"]}},
        "pages/x.html": {"values": {"name": "text", "many": "number"}},
    },
    "records": {"Line": {"url": "text"}},
    "words": {"Kind": ["a", "b"]},
}


@pytest.mark.parametrize(
    ("change", "gone"),
    [
        ({}, []),
        ({"templates": {**BEFORE["templates"], "new.html": {}}}, []),
        ({"everywhere": {}}, [("everywhere", "static")]),
        ({"static": []}, [("static", "style.css")]),
        ({"style": []}, [("style", "--radius")]),
        ({"records": {"Line": {"url": "number"}}}, [("Line", "url")]),
        ({"records": {}}, [("Line", ""), ("Line", "url")]),
        ({"words": {"Kind": ["b", "c"]}}, [("Kind", "a")]),
        (
            {"templates": {**BEFORE["templates"], "base.html": {"blocks": ["main"]}}},
            [("base.html", "title")],
        ),
        (
            {"templates": {**BEFORE["templates"], "pages/x.html": {"values": {"name": "text"}}}},
            [("pages/x.html", "many")],
        ),
        (
            {"templates": {**BEFORE["templates"], "components/x.html": {"macros": {"x": []}}}},
            [("components/x.html", "x")],
        ),
        (
            {
                "templates": {
                    **BEFORE["templates"],
                    "components/x.html": {"macros": {"x": ["label", "more=none"]}},
                }
            },
            [],
        ),
        (
            {
                "templates": {
                    **BEFORE["templates"],
                    "components/x.html": {"macros": {"x": ["label", "more"]}},
                }
            },
            [("components/x.html", "x")],
        ),
    ],
)
def test_what_went_or_changed_is_seen(change, gone):
    """And is no matter once the changelog says it."""
    words = [" ".join(f"`{part}`" for part in each if part) for each in gone]

    assert unsaid(BEFORE, {**BEFORE, **change}, []) == gone
    assert unsaid(BEFORE, {**BEFORE, **change}, words) == []


def test_what_the_page_shows_can_be_used(tmp_path):
    """Its template and its style sheets, as they stand there."""
    shown = DOCS / "topics/templates.md"
    (template,), sheets = blocks(shown, "jinja"), blocks(shown, "css")
    sheet = "\n".join(sheets)
    name = template.partition("shipped/")[2].partition('"')[0]
    for path, text in (
        (name, template),
        ("static/extra.css", sheet),
        ("static/meadow.svg", "<svg/>"),
    ):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)

    whose = Operators(Config(templates=str(tmp_path)))
    assert list(check.problems(whose)) == []
    promised_variables = set(names.known()["style"])
    assert set(re.findall(r"--[a-z0-9-]+", sheet)) <= promised_variables
