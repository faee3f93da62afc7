"""The marks of brands on the buttons of providers."""

import re
from xml.etree import ElementTree as ET

import attrs
import pytest

from support.pages import BASE, DIRECTORY, TEMPLATES, read
from synapse_nextgen_auth.web.pages.content import BRANDS, ProviderCard
from synapse_nextgen_auth.web.pages.sign_in.page import SignInPage
from synapse_nextgen_auth.web.pages.sign_in.samples import SAMPLES

SVG = "{http://www.w3.org/2000/svg}"
# What the owners of the marks allow, on white.
COLOURS = {
    "apple": {"#000"},
    "facebook": {"#0866FF"},
    "github": {"#181717"},
    "gitlab": {"#E24329", "#FC6D26", "#FCA326"},
    "google": {"#4285F4", "#34A853", "#FBBC05", "#EA4335"},
    "twitter": {"#000"},
}


@pytest.mark.parametrize("brand", BRANDS)
def test_a_mark_is_small_whole_and_in_its_own_colours(brand):
    """Paths and nothing else: no script, no style, no address, and room around the mark."""
    file = TEMPLATES.static_file(
        TEMPLATES.static_url(f"brand-{brand}.svg").removeprefix(f"{BASE}/static/")
    )
    drawing = ET.fromstring(file.content)
    left, top, width, height = map(float, drawing.attrib.pop("viewBox").split())

    assert file.content_type == "image/svg+xml"
    assert len(file.content) < 2000
    assert (drawing.tag, drawing.attrib) == (f"{SVG}svg", {})
    assert {(each.tag, *sorted(each.attrib)) for each in drawing} == {(f"{SVG}path", "d", "fill")}
    assert {each.get("fill") for each in drawing} == COLOURS[brand]
    assert (left, top) < (0, 0)
    assert width == height


def test_every_mark_is_a_brand_of_the_specification():
    """Neither is there a file that nothing shows."""
    files = {found.stem.removeprefix("brand-") for found in DIRECTORY.glob("static/brand-*")}

    assert files == set(BRANDS) == set(COLOURS)


def test_a_button_has_the_picture_then_the_mark_then_a_letter():
    """The operator's goes before ours; what is no brand of ours names no file."""
    page = SAMPLES[SignInPage]["brands"]
    pictures = [found for found in read(page).all("img") if found.get("class") == "provider-icon"]
    marks = [
        re.fullmatch(rf"{BASE}/static/[0-9a-f]+/brand-(\w+)\.svg", each["src"])[1]
        for each in pictures
    ]
    html = TEMPLATES.render(page)

    assert marks == list(BRANDS)
    assert all(
        (each["alt"], each["width"], each["height"]) == ("", "24", "24") for each in pictures
    )
    assert html.count("provider-initial") == 1
    assert ProviderCard("oidc-x", "X", brand="../../base.html").mark is None
    assert ProviderCard("oidc-x", "X").mark is None
    own = attrs.evolve(
        page, providers=(attrs.evolve(page.providers[0], icon_url="provider-icon?of=x"),)
    )
    assert [
        found["src"] for found in read(own).all("img") if found.get("class") == "provider-icon"
    ] == ["provider-icon?of=x"]
