"""Pages under an operator's brand, as a browser shows them: readable, in their place, and sealed."""

import pytest

from support import brand
from support.chromium import problems
from support.gallery import SAMPLES

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
