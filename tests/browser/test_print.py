"""What is kept on paper: recovery codes, and a token that is shown once."""

import re

import pytest

from support import gallery
from synapse_nextgen_auth.web.pages.account.tokens.page import TokenMadePage
from synapse_nextgen_auth.web.pages.factor.page import CodesPage

SHEETS = [
    name
    for name, sample in gallery.SAMPLES.items()
    if isinstance(sample, CodesPage | TokenMadePage)
]
# Every text that is printed with its colour and what is behind it, and whatever could be pressed.
PRINTED = """() => {
  const isThere = (element) => element.checkVisibility() && !element.closest(".hidden, .skip");
  const colours = new Set(), words = [], presses = [];
  for (const element of document.querySelectorAll("body, body *")) {
    if (!isThere(element)) continue;
    const style = getComputedStyle(element);
    if (style.backgroundColor !== "rgba(0, 0, 0, 0)") colours.add("on " + style.backgroundColor);
    if (element.matches("button, .button, input, select, summary")) presses.push(element.outerHTML);
    const said = element.tagName === "TEXTAREA" ? element.value
      : [...element.childNodes].filter((each) => each.nodeType === 3).map((each) => each.data).join(" ");
    if (!said.trim()) continue;
    colours.add(style.color);
    words.push(said.trim());
  }
  return [[...colours].sort(), words.join(" "), presses];
}"""


@pytest.fixture
def sheet(browser):
    """Return a page as it is printed by somebody whose screen is dark."""
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.emulate_media(media="print", color_scheme="dark")
    yield page
    context.close()


@pytest.mark.parametrize("name", SHEETS)
def test_what_is_kept_is_printed_black_on_white(sheet, name):
    """With whose it is, at which server and until or since when; nothing on it can be pressed."""
    sample = gallery.SAMPLES[name]
    sheet.set_content(gallery.whole(name))
    colours, words, presses = sheet.evaluate(PRINTED)
    without_spaces = re.sub(r"\s", "", words)
    wanted = [sample.server_name, sample.user_id]
    if isinstance(sample, CodesPage):
        wanted += [*sample.codes, sample.sign_in_at]
    else:
        wanted += [sample.token, sample.name]
    missing = [each for each in wanted if re.sub(r"\s", "", each) not in without_spaces]

    assert set(colours) <= {"on rgb(255, 255, 255)", "rgb(0, 0, 0)"}
    assert missing == []
    assert presses == []
    assert sheet.locator("main time").count() == (getattr(sample, "expires_at", 1) is not None)


def test_the_codes_are_on_one_sheet(sheet):
    """Of A4; whoever keeps one sheet keeps them all."""
    sheet.set_content(gallery.whole("CodesPage plain"))
    printed = sheet.pdf(format="A4")

    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


def test_pages_of_the_account_are_as_wide_as_a_wide_sheet(sheet):
    """Of A4 across: without the navigation beside it the page has its place, too."""
    sheet.set_viewport_size({"width": 1047, "height": 720})
    sheet.set_content(gallery.whole("EventsPage every kind"))

    assert sheet.locator("main").bounding_box()["width"] > 900
