"""A picture is chosen with a script and removed without one."""

import io

import pytest
from PIL import Image

from support.chromium import problems


def picture(kind="PNG", size=(40, 30)):
    written = io.BytesIO()
    Image.new("RGB", size, "purple").save(written, kind)
    return written.getvalue()


def choose(tab, name, content, media_type):
    file = {"name": name, "mimeType": media_type, "buffer": content}
    tab.page.get_by_label("Choose a picture").set_input_files(file)


IS_OF_COLOUR = """(words, colour) => {
  const probe = document.createElement("i");
  probe.style.color = colour;
  return getComputedStyle(words).color === getComputedStyle(document.body.appendChild(probe)).color;
}"""


@pytest.fixture
def profile(open_tab, user):
    tab = open_tab()
    tab.open("sign-in")
    tab.sign_in(user)
    tab.open("account-profile")
    return tab


SHOWN = """async (place) => {
  const picture = document.querySelector(`${place} img.avatar`);
  await picture.decode();
  const { width, height } = picture.getBoundingClientRect();
  return [picture.naturalWidth > 0, picture.alt, width, height];
}"""


def shown(tab, place):
    """Return whether the picture at a place of the page is there, its words, and its size."""
    return tab.page.evaluate(SHOWN, place)


def test_a_picture_is_sent_shown_and_removed(profile, open_tab, user, axe):
    choose(profile, "me.png", picture(), "image/png")
    profile.page.get_by_text("Your picture was changed.").wait_for()
    in_head, on_page = shown(profile, ".who"), shown(profile, "main")
    profile.open("account-deactivate")
    on_card = shown(profile, ".account")
    profile.open("account-profile")
    found = problems(profile, axe)

    without = open_tab(java_script_enabled=False)
    without.open("sign-in")
    without.sign_in(user)
    without.open("account-profile")
    is_offered = without.page.get_by_label("Choose a picture").is_visible()
    # Chromium's switch for tests leaves the element itself unseen.
    is_said = "Without scripts a picture is chosen in an application." in without.page.content()
    without.press("Remove the picture")

    # Words stand beside each; 40 by 30 are round on the page.
    assert (in_head, on_page, on_card) == (
        [True, "", 32, 32],
        [True, "", 44, 44],
        [True, "", 44, 44],
    )
    assert found == []
    assert (is_offered, is_said) == (False, True)
    assert without.page.get_by_text("You have no picture any more.").is_visible()
    assert without.page.get_by_role("button", name="Remove the picture").count() == 0


@pytest.mark.parametrize(
    ("name", "content", "media_type", "said"),
    [
        ("notes.txt", b"no picture", "text/plain", "That is no picture of these kinds."),
        ("odd.png", b"no picture", "image/png", "That is no picture of these kinds."),
        ("me.svg", b"<svg/>", "image/svg+xml", "That is no picture of these kinds."),
        (
            "bomb.png",
            picture(size=(9000, 9000)),
            "image/png",
            "That picture is too wide or too high.",
        ),
    ],
)
def test_what_is_no_picture_is_said_so(profile, name, content, media_type, said):
    """In words that a screen reader hears, in the colour of errors, and the page stays as it is."""
    choose(profile, name, content, media_type)

    words = profile.page.get_by_role("status").get_by_text(said)
    words.wait_for()
    danger = profile.page.evaluate(
        "getComputedStyle(document.documentElement).getPropertyValue('--danger')"
    )

    assert words.evaluate(IS_OF_COLOUR, danger)
    assert profile.page.get_by_role("button", name="Remove the picture").count() == 0


def test_a_picture_that_is_too_large_a_file_is_not_even_sent(profile):
    """The page says so at once; the picture that was there stays, and what was typed beside it."""
    choose(profile, "me.png", picture(), "image/png")
    profile.page.get_by_text("Your picture was changed.").wait_for()
    sent = []
    profile.page.on("request", lambda request: sent.append(request.method))
    profile.page.get_by_label("Display name").fill("Half a na")
    choose(profile, "holiday.png", picture() + bytes(10 * 2**20), "image/png")
    said = profile.page.get_by_role("status").get_by_text("That picture is too large a file.")
    said.wait_for()
    typed = profile.page.get_by_label("Display name").input_value()
    profile.open("account-profile")

    assert "POST" not in sent
    assert typed == "Half a na"
    assert profile.page.get_by_role("button", name="Remove the picture").is_visible()


def test_what_a_proxy_takes_for_too_large_is_said_so_and_can_be_sent_again(profile):
    """Its answer is no JSON; whoever chooses the same file once more sends it once more."""
    away = "**/account-avatar"
    profile.page.route(away, lambda route: route.fulfill(status=413, body="<h1>413</h1>"))
    choose(profile, "me.png", picture(), "image/png")
    profile.page.get_by_role("status").get_by_text("That picture is too large a file.").wait_for()
    profile.page.unroute(away)
    with profile.page.expect_file_chooser():
        profile.page.get_by_label("Choose a picture").click()
    chosen = profile.page.get_by_label("Choose a picture").evaluate("(box) => box.files.length")
    choose(profile, "me.png", picture(), "image/png")
    profile.page.get_by_text("Your picture was changed.").wait_for()

    # A browser says nothing of a file that is chosen already.
    assert chosen == 0


def test_a_picture_that_comes_late_or_not_at_all_moves_nothing(profile):
    """The page has the same places with it, without it, and where its process does not answer."""
    all_of_it = "[...document.querySelectorAll('a, h1, h2')]"
    places = f"{all_of_it}.map((each) => each.getBoundingClientRect().top)"
    with_letter = profile.page.evaluate(places)
    profile.page.route("**/account-avatar", lambda route: route.fulfill(status=503))
    profile.open("account-profile")

    assert profile.page.evaluate(places) == with_letter
    assert len(with_letter) > 10
