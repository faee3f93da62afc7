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
# What tells a thing apart once its colours are the system's: an edge that is seen. And what moves.
WITHOUT_EDGE = """() => {
  const found = [];
  const edged = ".button, .tag, .notice, .field input:not([type=checkbox]), .field select,"
    + ".field textarea, .card";
  for (const each of document.querySelectorAll(edged)) {
    const {borderTopStyle, borderTopWidth} = getComputedStyle(each);
    const isEdged = borderTopStyle !== "none" && parseFloat(borderTopWidth) >= 1;
    const isPage = each.matches(".card") && each.getBoundingClientRect().width === innerWidth;
    if (each.checkVisibility() && !isEdged && !isPage)
      found.push("has no edge: " + each.outerHTML.slice(0, 120));
  }
  for (const each of document.querySelectorAll("body, body *")) {
    const {animationName, transitionDuration} = getComputedStyle(each);
    if (animationName !== "none" || transitionDuration !== "0s")
      found.push("moves: " + each.outerHTML.slice(0, 120));
  }
  return found;
}"""
# Boxes whose middle is not that of the first line beside them.
NOT_LEVEL = """() => {
  const middle = (box) => (box.top + box.bottom) / 2;
  const labels = [...document.querySelectorAll(".check")].filter((each) => each.checkVisibility());
  return labels.filter((label) => {
    const words = document.createTreeWalker(label, NodeFilter.SHOW_TEXT), line = document.createRange();
    while (!words.nextNode().data.trim());
    line.selectNodeContents(words.currentNode);
    const box = label.querySelector("input").getBoundingClientRect();
    return Math.abs(middle(box) - middle(line.getClientRects()[0])) > 3;
  }).map((label) => label.textContent);
}"""
PRESSED = {"button", "link", "textbox", "checkbox", "radio", "combobox", "DisclosureTriangle"}


@pytest.fixture
def page(browser):
    """Yield a page with our style sheet, as somebody has it who moves by keys."""
    yield from opened(browser, {"width": 1280, "height": 860})


@pytest.fixture
def phone(browser):
    """Yield the same on a small screen, where most of a page is out of sight."""
    yield from opened(browser, {"width": 390, "height": 640})


def opened(browser, viewport):
    """Yield a page of this size, and close it."""
    context = browser.new_context(viewport=viewport, reduced_motion="reduce")
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


def test_everything_is_told_apart_in_the_colours_of_the_system(page):
    """By edges, as tints are gone; and nothing moves for who asked for less (WCAG 1.4.11, 2.3.3)."""
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    flat = "<body><span class=tag style='border: 0'>x</span>"
    pages = [*every_page(), ("flat", flat)]
    found = gallery.look_at_each(page, WITHOUT_EDGE, pages)

    assert found.pop("flat")
    assert found == {}


def test_boxes_are_level_with_the_first_line_beside_them(phone):
    """Also where a title wraps, and where a sentence stands below it."""
    low = "<body><label class=check><input type=checkbox style='margin-top: 9px'> <span>x</span></label>"
    found = gallery.look_at_each(phone, NOT_LEVEL, [*every_page(), ("low", low)])

    assert found.pop("low")
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


# Where the key that moves the focus should stop, in the order of the page: once for each radio group.
BEGIN = """(html) => {
  (TURN_TO)(html);
  const all = "a[href], button, input, select, textarea, summary, [tabindex]";
  const isChosen = (each) => each.type !== "radio" || each.checked
    || !document.querySelector(`input[name="${each.name}"]:checked`);
  window.wanted = [...document.querySelectorAll(all)].filter((each) =>
    each.type !== "hidden" && each.checkVisibility() && each.tabIndex >= 0 && isChosen(each));
  window.met = [];
  window.out = [];
  const short = (each) => each ? each.outerHTML.slice(0, 120) : "nothing";
  window.met_one ??= (event) => {
    const each = event.target, place = window.met.push(each) - 1;
    const wanted = window.wanted[place % window.wanted.length];
    if (each !== wanted) window.out.push(`${short(each)} before ${short(wanted)}`);
    // Its middle can be seen, and nothing lies upon it (a tick is hidden below what draws it).
    const box = each.getClientRects()[0];
    const at = document.elementFromPoint(
      box.left + box.width / 2, Math.min(box.top + box.height / 2, innerHeight - 1));
    const own = [each, ...(each.labels ?? [])];
    if (!own.some((mine) => mine.contains(at))) window.out.push(`${short(each)} is hidden`);
  };
  document.removeEventListener("focusin", window.met_one);
  document.addEventListener("focusin", window.met_one);
  const first = window.wanted[0];
  if (document.body.classList.contains("console") && !first.classList.contains("skip"))
    window.out.push("the first stop leads past nothing");
  return window.wanted.map((each) => [each.tagName, each.type, each.className].join(" "));
}""".replace("TURN_TO", gallery.TURN_TO)
COVERED = (
    """<body><a href=x>one</a><a href=y>two</a><p style="position: fixed; inset: 0">over it</p>"""
)
BACKWARDS = "<body><a href=x>one</a><a href=y tabindex=1>two</a>"
TRAP = """<body><a href=x>one</a><a href=y id=t>two</a><a href=z>three</a>"""


def test_the_keyboard_goes_through_every_page_and_round(phone):
    """In the order of the page, caught nowhere, hidden by nothing (WCAG 2.1.2, 2.4.3, 2.4.11).

    Pages with the same stops are walked through once.
    """
    page, keys = phone, phone.context.new_cdp_session(phone)
    found, walked = {}, set()
    wrong = {"covered": COVERED, "backwards": BACKWARDS, "trap": TRAP}
    for name, html in [*every_page(), *wrong.items()]:
        # A browser comes to that some time later, once for each document.
        stops = page.evaluate(BEGIN, html.replace(" autofocus", ""))
        if tuple(stops) in walked and name not in wrong:
            continue
        walked.add(tuple(stops))
        if name == "trap":
            page.evaluate("document.querySelector('#t').onkeydown = () => false")
        for _ in stops:
            keys.send("Input.dispatchKeyEvent", TAB)
        met, out = page.evaluate("[met.length, out]")
        if out or met != len(stops):
            found[name] = [f"{met} of {len(stops)} stops", *out]

    assert found.pop("covered")[1].endswith("is hidden")
    assert found.pop("backwards") == ["1 of 2 stops"]
    assert found.pop("trap") == ["2 of 3 stops"]
    assert found == {}
    assert len(walked) > 100


TAB = {"type": "rawKeyDown", "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
