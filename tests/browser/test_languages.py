"""Pages in other languages, on a small screen: nothing is cut, nothing has to be scrolled sideways."""

from itertools import cycle

import pytest

from support import gallery
from support.pages import STYLE, TEMPLATES
from synapse_nextgen_auth.cli.templates import kit
from synapse_nextgen_auth.web.translations import ENGLISH

LONG = f"<span style='white-space: nowrap'>{'x' * 90}</span>"
# What sticks out of the screen, and text that a box of ours hides; names are cut after two lines.
LOOK = """([views, style]) => views.flatMap(([called, zoom, isSpaced]) => {
  const isUsual = called === "usual";
  document.documentElement.style.fontSize = zoom;
  document.getElementById("spaced").textContent = isSpaced ? style : "";
  const found = [];
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) found.push("it scrolls sideways");
  for (const element of document.querySelectorAll("body *")) {
    const box = element.getBoundingClientRect();
    const isOut = box.width && (box.left < -1 || box.right > width + 1);
    const isSeen = box.width > 1;  // what only screen readers say is one pixel wide
    const isCut = isSeen && element.tagName !== "INPUT"
      && element.scrollWidth > element.clientWidth + 1
      && getComputedStyle(element).overflowX !== "visible";
    // For who hears the page, and seen by nobody; or a grid, which scrolls by itself.
    if (!(isOut || isCut) || element.closest(".hidden, .table")) continue;
    const words = element.tagName + " " + element.textContent.trim().slice(0, 60);
    if (isOut) found.push("sticks out: " + words);
    if (isCut) found.push("is cut: " + words);
  }
  // A word that needs two lines says where it may be parted: not every browser knows that of a language.
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (isUsual && texts.nextNode()) {
    const text = texts.currentNode;
    if (text.parentElement.closest("bdi, code, .code, .hidden, select, template, svg")) continue;
    for (const word of text.data.matchAll(/[\\p{sc=Latn}\\p{sc=Cyrl}\\p{sc=Grek}\\u00ad]{8,}/gu)) {
      if (word[0].includes("\\u00ad")) continue;
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map((each) => Math.round(each.top)));
      // What is longer than forty letters is no word.
      if (lines.size > 1 && word[0].length <= 40) found.push("is torn: " + word[0]);
    }
  }
  return found.map((each) => isUsual ? each : called + ": " + each);
})"""


@pytest.fixture(scope="module")
def page(browser):
    """Yield one tab for all that sets its content anew."""
    context = browser.new_context(viewport={"width": 320, "height": 640})
    yield context.new_page()
    context.close()


ASK_AXE = """async () => {
  const {violations} = await axe.run();
  return violations.map((each) => each.id + each.nodes[0].html);
}"""
# What WCAG 1.4.12 lets a reader set.
SPACED = """* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
  word-spacing: 0.16em !important } p { margin-bottom: 2em !important }"""
# Whatever is pressed is 24 pixels high and wide, or stands in a line of text (WCAG 2.5.8).
SMALL = """() => [...document.querySelectorAll("a, button, input, select, textarea, summary")]
  .filter((each) => {
    const box = each.getBoundingClientRect();
    if (!box.width || each.closest(".hidden, .skip")) return false;
    const text = each.closest("p, li, dd, h1, h2, td, label")?.textContent.trim();
    const inText = each.tagName === "A" && text !== each.textContent.trim();
    const label = each.labels?.[0]?.getBoundingClientRect();
    const [height, width] = label ? [Math.max(box.height, label.height), box.width + label.width]
      : [box.height, box.width];
    return !inText && (height < 24 || width < 24);
  })
  .map((each) => "is small: " + each.outerHTML.slice(0, 120))"""


# Where text is twice as large (WCAG 1.4.4), and where a reader spaces it out (WCAG 1.4.12), as somebody
# with dyslexia may: in the language with the longest words and in another direction every sample, in the
# others by turns, so that each is looked at in some of them.
USUAL = [["usual", "100%", False]]
LARGER = [["large", "200%", False], ["spaced", "100%", True]]
WHOLE = ("de", "ar")
TURNS = 7
OTHERS = [tag for tag in TEMPLATES.languages.tags if tag not in {ENGLISH, *WHOLE}]


@pytest.mark.parametrize("lang", [*WHOLE, *OTHERS])
def test_nothing_is_cut_on_a_small_screen(page, lang):
    """Every sample of every page: German has long words, Arabic another direction (WCAG 1.4.10)."""
    page.set_content(
        f"<!doctype html><style>{STYLE}</style><style id='spaced'></style><p>{LONG}</p>"
    )
    pages = [
        [name, TEMPLATES.render_own(each, lang=lang)] for name, each in gallery.SAMPLES.items()
    ]
    turn = pages if lang in WHOLE else pages[OTHERS.index(lang) % TURNS :: TURNS]
    more = [
        ["every component", kit.html(TEMPLATES, None)],
        ["too long", f"<body><p>{LONG}</p></body>"],
        ["torn", "<body><p style='width: 5em'>Donaudampfschiff</p></body>"],
    ]
    found = gallery.look_at_each(page, LOOK, [*pages, *more], [USUAL, SPACED])
    larger = gallery.look_at_each(page, LOOK, [*turn, *more], [LARGER, SPACED])

    assert found.pop("too long")
    assert found.pop("torn") == ["is torn: Donaudampfschiff"]
    assert {each.partition(": ")[0] for each in larger.pop("too long")} == {"large", "spaced"}
    larger.pop("torn", None)
    assert (found, larger) == ({}, {})


def test_whatever_is_pressed_is_large_enough(page):
    """For a finger that shakes; links within a text are as the text is (WCAG 2.5.8)."""
    page.set_content(f"<!doctype html><style>{STYLE}</style>")
    pages = [[name, TEMPLATES.render_own(each)] for name, each in gallery.SAMPLES.items()]
    pages.append(["small", "<body><button style='all: unset; width: 9px; height: 9px'>x</button>"])
    found = gallery.look_at_each(page, SMALL, pages)

    assert found.pop("small")
    assert found == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_sample(browser, axe, scheme):
    """Also on pages that no other test gets to, and in what only people of another language see."""
    context = browser.new_context(color_scheme=scheme, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.set_content(f"<!doctype html><style>{STYLE}</style>")
    page.evaluate(axe)
    # Each once, by turns in the light and in the dark, in every language.
    turns = list(gallery.SAMPLES.items())[scheme == "dark" :: 2]
    pages = [
        [name, TEMPLATES.render_own(sample, lang=lang)]
        for (name, sample), lang in zip(turns, cycle(TEMPLATES.languages.tags), strict=False)
    ]
    pages.append(["every component", kit.html(TEMPLATES, None)])
    pages.append(
        ["wrong", "<html lang=en><title>x</title><body><main><h1>x</h1><img src=x></main>"]
    )
    found = gallery.look_at_each(page, ASK_AXE, pages)
    context.close()

    assert "image-alt" in found.pop("wrong")[0]
    assert found == {}


@pytest.mark.parametrize(("lang", "side"), [("ar", "right"), ("en", "left")])
def test_names_of_languages_stand_on_one_side(page, lang, side):
    """Also one of letters that run the other way, where it needs two lines."""
    name = next(each for each in gallery.SAMPLES if each.startswith("LanguagePage"))
    page.set_content(gallery.whole(name, lang))
    found = page.evaluate(
        """() => [...document.querySelectorAll(".language bdi")].map((each) => {
          const style = getComputedStyle(each.closest("button"));
          const button = each.closest("button").getBoundingClientRect();
          const range = document.createRange();
          range.selectNodeContents(each);
          const lines = [...range.getClientRects()];
          const left = lines.map((line) => line.left - button.left - parseFloat(style.paddingLeft));
          const right = lines.map((line) => button.right - line.right - parseFloat(style.paddingRight));
          return {left: Math.max(...left), right: Math.max(...right), lines: lines.length};
        })"""
    )

    assert max(each["lines"] for each in found) > 1
    assert max(each[side] for each in found) < 3


def test_arabic_runs_from_the_right(page):
    """What begins a line in English stands at the left, in Arabic at the right."""
    sides, spacing = {}, {}
    for lang in ("en", "ar"):
        page.set_content(gallery.whole("SignInPage plain", lang))
        box = page.locator(".brand img").bounding_box()
        align = page.evaluate("getComputedStyle(document.querySelector('label')).direction")
        spacing[lang] = page.evaluate(
            "getComputedStyle(document.querySelector('h1')).letterSpacing"
        )
        sides[lang] = ("left" if box["x"] < 160 else "right", align)

    assert sides == {"en": ("left", "ltr"), "ar": ("right", "rtl")}
    # Arabic letters are joined, and nothing tears them apart.
    assert (spacing["en"] != "normal", spacing["ar"]) == (True, "normal")


@pytest.mark.parametrize(
    ("locale", "direction", "words"),
    [
        (
            "de-CH",
            "ltr",
            ("Benutzername", "Passwort", "Anmelden", "Zugriff auf dein Konto erlauben?"),
        ),
        (
            "ar-EG",
            "rtl",
            ("اسم المستخدم", "كلمة المرور", "تسجيل الدخول", "هل تسمح بالوصول إلى حسابك؟"),
        ),
    ],
)
def test_people_sign_in_in_the_language_of_their_browser(
    open_tab, client, user, locale, direction, words
):
    """From the first page to the question, on a phone."""
    name, password, button, question = words
    tab = open_tab(locale=locale, viewport={"width": 320, "height": 640})
    tab.authorize(client.request()[0])
    tab.page.get_by_label(name).fill(user.localpart)
    tab.page.get_by_label(password).fill(user.password)
    with tab.page.expect_navigation():
        tab.page.get_by_role("button", name=button).click()

    assert tab.heading == question
    assert tab.page.evaluate("document.dir") == direction
    assert tab.page.evaluate("document.documentElement.scrollWidth") == 320


def test_a_long_matrix_id_is_wrapped_between_its_parts_and_copied_whole(page):
    """People compare it letter by letter, and paste it elsewhere."""
    page.set_content(gallery.whole("AccountsPage plain"))
    name = page.locator("bdi").get_by_text("@alice.work:example.org")
    copied, lines = name.evaluate(
        """(bdi) => {
          getSelection().selectAllChildren(bdi);
          const parts = [...bdi.childNodes].filter((part) => part.data);
          const tops = parts.map((part) => {
            const range = document.createRange();
            range.selectNodeContents(part);
            return [part.data, ...new Set([...range.getClientRects()].map((box) => box.top))];
          });
          return [getSelection().toString(), tops];
        }"""
    )

    assert copied == "@alice.work:example.org"
    assert [part for part, *_ in lines] == ["@alice", ".work", ":example", ".org"]
    # Each stands in one line, and there is more than one of them.
    assert [len(tops) for _, *tops in lines] == [1, 1, 1, 1]
    assert len({top for _, top in lines}) == 2
