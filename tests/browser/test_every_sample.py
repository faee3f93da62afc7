"""Every sample of every page, as somebody has it who hears it or who has only a keyboard."""

from collections import Counter

import pytest

from support import gallery
from support.pages import STYLE, TEMPLATES
from synapse_nextgen_auth.cli.templates import kit

# Whatever takes the focus and shows no ring: of 2 pixels or more, in the colour that is for it.
WITHOUT_RING = """() => {
  const found = [];
  const ring = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
    && style.outlineColor;
  const probe = document.createElement("i");
  probe.style.color = "var(--focus)";
  document.body.append(probe);
  const wanted = getComputedStyle(probe).color;
  probe.remove();
  const all = "a[href], button, input, select, textarea, summary, [tabindex]";
  for (const each of document.querySelectorAll(all)) {
    if (each.type === "hidden" || !each.checkVisibility()) continue;
    each.focus();
    if (document.activeElement !== each) found.push("takes no focus: " + each.outerHTML);
    const rings = [ring(getComputedStyle(each)), ring(getComputedStyle(each, "::after"))];
    if (!rings.includes(wanted)) found.push("has no ring: " + each.outerHTML.slice(0, 150));
  }
  return found;
}"""
PRESSED = {"button", "link", "textbox", "checkbox", "radio", "combobox", "DisclosureTriangle"}


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 860}, reduced_motion="reduce")
    page = context.new_page()
    page.route("**", lambda route: route.abort())  # pictures
    base = "<base href='https://example.org/auth/'>"
    page.set_content(f"<!doctype html><html lang=en>{base}<style>{STYLE}</style><p>")
    # As after the key that moves the focus: browsers show no ring to who clicks.
    page.keyboard.press("Tab")
    yield page
    context.close()


def every_page():
    """Yield the name and the HTML of each sample, and of the page with every component."""
    yield from ((name, TEMPLATES.render_own(each)) for name, each in gallery.SAMPLES.items())
    yield "every component", kit.html(TEMPLATES, None)


def test_whatever_takes_the_focus_shows_it(page):
    """In the colour whose contrast is compared with what is behind it (WCAG 2.4.7, 2.4.11)."""
    pages = [*every_page(), ("wrong", "<body><a href=x style='outline: 0'>x</a>")]
    found = gallery.look_at_each(page, WITHOUT_RING, pages)

    assert found.pop("wrong")
    assert found == {}


def test_whatever_can_be_pressed_has_a_name_of_its_own(page):
    """In the tree that screen readers read (WCAG 2.4.4, 4.1.2): alike are only links to one place."""
    tree = page.context.new_cdp_session(page)
    found = {}
    pages = [*every_page(), ("wrong", "<body><a href=x></a>"), ("alike", ALIKE)]
    for name, html in pages:
        page.evaluate(f"({gallery.TURN_TO})", html)
        nodes = [
            (each["role"]["value"], called(each), address(each))
            for each in tree.send("Accessibility.getFullAXTree")["nodes"]
            if not each["ignored"] and each["role"]["value"] in PRESSED
        ]
        listed = [f"a {role} without a name" for role, words, _ in nodes if not words]
        names = Counter((role, words) for role, words, _ in set(nodes) if role == "link")
        listed += [f"links to several places: {words}" for (_, words), n in names.items() if n > 1]
        if listed:
            found[name] = listed

    assert found.pop("wrong") == ["a link without a name"]
    assert found.pop("alike") == ["links to several places: Details"]
    assert found == {}


ALIKE = "<body><a href='http://a.example/'>Details</a><a href='http://b.example/'>Details</a>"


def called(node):
    """Return the name of a node, and what describes it: that may tell apart what is called alike."""
    name, about = (node.get(each, {}).get("value", "").strip() for each in ("name", "description"))
    return f"{name}: {about}" if name and about else name


def address(node):
    """Return where a link of the tree leads."""
    urls = [each["value"]["value"] for each in node.get("properties", ()) if each["name"] == "url"]
    return urls[0] if urls else None
