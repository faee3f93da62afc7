"""The page with every component."""

import re

from support import brand as brands
from support.pages import STYLE, TEMPLATES, Read
from synapse_nextgen_auth.cli.templates import kit

KINDS = re.compile(r"\.((?:button|notice|tag|badge)-[a-z-]+)\b")
KIT = kit.html(TEMPLATES, "kit.example")


def test_it_shows_every_kind_that_the_style_sheet_knows():
    """Whoever adds one shows it there, or nobody looks at it in the dark."""
    known = set(KINDS.findall(STYLE)) - {"button-hover", "button-small"}
    shown = {word for _, found in Read(KIT).elements for word in found.get("class", "").split()}

    assert len(known) >= 15
    assert known - shown == set()
    assert {"rows", "facts", "table", "empty", "verdict", "danger-zone", "panel", "bar"} <= shown


def test_it_has_every_picture_and_is_a_whole_document():
    html = Read(KIT)
    ids = [found["id"] for _, found in html.elements if "id" in found]

    assert html.open == []
    assert len(ids) == len(set(ids))
    assert len(html.all("h1")) == len(html.all("main")) == 1
    assert "kit.example" in html.text("header")
    assert len(kit.icons()) >= 20
    assert all(name in html.text("ul") for name in kit.icons())


def test_what_it_shows_of_forms_can_be_sent_by_the_keyboard():
    """A check for everybody that is run over this page as it is finds nothing (WCAG 3.2.2)."""
    forms = re.findall(r"<form.*?</form>", KIT, re.DOTALL)

    assert len(forms) > 2
    assert [each for each in forms if 'type="submit"' not in each] == []


def test_the_head_is_that_of_the_brand(tmp_path):
    """As that of every page beside it."""
    branded = brands.templates(**brands.options(tmp_path))
    page = Read(kit.html(branded, "kit.example"))

    assert "Example <Chat>" in page.text("header")
    assert any(each["src"].endswith("/_logo.svg") for each in page.all("img"))
