"""Pages under an operator's brand, as a browser shows them: readable, in their place, and sealed."""

from base64 import b64encode

import pytest

from support import brand
from support.chromium import problems
from support.gallery import SAMPLES
from support.markdown import DOCS, blocks

PAGES = ["SignInPage plain", "SignUpPage providers", "ConsentPage plain", "OverviewPage plain"]
# One that fails as a link and edge in light, and one that fails everywhere, on backgrounds that do, too.
BRANDS = {
    "yellow": {},
    "grey": {
        "accent": {"light": "#808080", "dark": "#505050"},
        "background": {"light": "#c0d0e0", "dark": "#405060"},
        "show_name": False,
    },
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("options", BRANDS.values(), ids=BRANDS)
def test_whatever_the_brand_axe_finds_nothing(open_tab, axe, tmp_path, options, scheme):
    """Nor does anything stick out of a small screen, in German and in Arabic, and with large text."""
    tab = open_tab(color_scheme=scheme, viewport={"width": 320, "height": 640})
    pages = brand.templates(**brand.options(tmp_path, **options))
    found = {}
    for name, lang in zip(PAGES, ["en", "de", "ar", "en"], strict=True):
        tab.page.set_content(brand.whole(pages, pages.render(SAMPLES[name], lang=lang)))
        listed = problems(tab, axe)
        tab.page.evaluate("document.documentElement.style.fontSize = '200%'")
        width = tab.page.evaluate("document.documentElement.scrollWidth")
        if listed or width > 320:
            found[name] = (listed, width)

    assert found == {}


def test_a_logo_has_its_place_before_it_is_there(open_tab, tmp_path):
    """Its box is the same when it never comes, so nothing moves; in the dark there is the other."""
    sizes, shown = [], []
    for scheme, address in (("light", ""), ("light", "data:image/png;base64,"), ("dark", "")):
        tab = open_tab(color_scheme=scheme)
        pages = brand.templates(**brand.options(tmp_path))
        html = brand.whole(pages, pages.render(SAMPLES["SignInPage plain"]))
        if address:
            html = html.replace("data:image/svg+xml;base64,", address)
        tab.page.set_content(html)
        box = tab.page.locator(".brand img").bounding_box()
        sizes.append((box["width"], box["height"]))
        shown.append(tab.page.locator(".brand img").evaluate("image => image.currentSrc"))

    assert set(sizes) == {(160, 28)}
    assert shown[0] != shown[2]
    assert shown[2].startswith("data:image/svg+xml;base64,")


MEADOW = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20">'
    b'<path fill="#6b9" d="M0 0h40v20H0z"/>'
    b'<path fill="#c63" d="M0 12c9-7 14 5 22-1s12 2 18-3v12H0z"/></svg>'
)


GROUNDS = """() => {
  const clear = (element) => getComputedStyle(element).backgroundColor === "rgba(0, 0, 0, 0)";
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), bare = [];
  while (walker.nextNode()) {
    let at = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !at.checkVisibility()) continue;
    while (at !== document.body && clear(at)) at = at.parentElement;
    if (at === document.body) bare.push(walker.currentNode.data.trim());
  }
  return bare;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_a_picture_behind_the_page_leaves_each_word_a_ground(open_tab, tmp_path, width, scheme):
    """As the documents have it: on a wide window alone, and never behind the words of the account."""
    tab = open_tab(color_scheme=scheme, viewport={"width": width, "height": 900})
    pages = brand.templates(**brand.options(tmp_path))
    (sheet,) = [each for each in blocks(DOCS / "topics/templates.md", "css") if "cover" in each]
    meadow = b64encode(MEADOW).decode()
    sheet = sheet.replace("meadow.svg", f"data:image/svg+xml;base64,{meadow}")
    pictures, bare = {}, {}
    for name in PAGES:
        html = brand.whole(pages, pages.render(SAMPLES[name])).replace(
            "</head>", f"<style>{sheet}</style></head>"
        )
        tab.page.set_content(html)
        pictures[name] = tab.page.evaluate(
            "getComputedStyle(document.body).backgroundImage !== 'none'"
        )
        bare[name] = tab.page.evaluate(GROUNDS)

    assert pictures == {name: width > 640 and not name.startswith("Overview") for name in PAGES}
    assert {name: words for name, words in bare.items() if pictures[name] and words} == {}
