"""The pages on which a person lets a device in, as people use them: slips, doubts and no script."""

import re

import pytest
from playwright.sync_api import expect

from support.television import Television

USER_CODE = re.compile(r"[B-Z]{4}-[B-Z]{4}")


@pytest.fixture
def tv(server):
    """Return a device that shows its code."""
    return Television.begin(server, client_name="My television")


def error(tv):
    """Poll as the device; return what it is told, `None` when it gets its tokens."""
    return tv.poll().json().get("error")


def enter(tab, code):
    """Type a code on the link page."""
    tab.page.get_by_label("Code").fill(code)
    tab.press("Continue")


def confirm(tab):
    """Say that the device is one's own, and let it in."""
    tab.page.get_by_label("This is my device").check()
    tab.press("Sign the device in")


@pytest.mark.parametrize("js", [True, False])
def test_c391_a_device_is_let_in(open_tab, tv, user, js):
    """Type the address and the code, sign in on the way, compare, confirm; scripts or not."""
    tab = open_tab(java_script_enabled=js)

    tab.page.goto(tv.answer["verification_uri"])
    enter(tab, tv.user_code)
    signing_in = tab.path
    tab.sign_in(user)
    question = tab.path
    waiting = error(tv)
    confirm(tab)

    assert (signing_in, question) == ("sign-in", "device")
    assert waiting == "authorization_pending"
    assert tab.heading == "Go back to your device"
    assert tv.poll().json()["token_type"] == "Bearer"


@pytest.mark.parametrize(
    "typed",
    [
        str.lower,
        lambda code: code.replace("-", " "),
        lambda code: "  " + "-".join(code.replace("-", "").lower()) + " ",
        lambda code: code.replace("-", "\N{EN DASH}"),
    ],
    ids=["lower case", "a space", "dashes everywhere", "a long dash"],
)
def test_c146_a_code_is_read_as_people_type_it(tab, tv, typed):
    """Case, dashes and spaces do not matter, whatever the keyboard makes of them."""
    tab.page.goto(tv.answer["verification_uri"])

    enter(tab, typed(tv.user_code))

    assert tab.path == "sign-in"


def test_c391_the_keyboard_is_enough_to_let_a_device_in(tab, tv, user):
    """The code has the focus; the box is ticked with the space bar, the button pressed with Enter."""
    keys = tab.page.keyboard
    tab.page.goto(tv.answer["verification_uri"])
    expect(tab.page.get_by_label("Code")).to_be_focused()

    keys.type(tv.user_code.lower())
    with tab.page.expect_navigation():
        keys.press("Enter")
    tab.sign_in(user)
    tab.ready_button("Sign the device in")
    tab.page.get_by_label("This is my device").focus()
    keys.press("Space")
    keys.press("Tab")
    with tab.page.expect_navigation():
        keys.press("Enter")

    assert tab.heading == "Go back to your device"
    assert error(tv) is None


def test_c149_a_filled_in_code_still_has_to_be_compared(tab, tv, user):
    """The complete link saves the typing, and nothing else: two more decisions are the person's."""
    tab.page.goto(tv.answer["verification_uri_complete"])
    expect(tab.page.get_by_label("Code")).to_have_value(tv.user_code)
    tab.press("Continue")
    tab.sign_in(user)
    opened = error(tv)

    tab.press("Sign the device in")

    alert, box = tab.page.get_by_role("alert"), tab.page.get_by_label("This is my device")
    expect(alert).to_contain_text("Tick the box")
    expect(box).to_have_attribute("aria-describedby", alert.get_attribute("id"))
    expect(box).not_to_be_checked()
    expect(box).to_be_focused()
    assert tab.page.title().startswith("Error: ")
    assert opened == "authorization_pending"
    confirm(tab)
    assert tab.heading == "Go back to your device"


def test_c149_the_page_lets_a_person_notice(tab, tv, user):
    """A warning in red above everything, the code to compare, who asks, from where, since when."""
    tab.page.goto(tv.answer["verification_uri_complete"])
    tab.press("Continue")
    tab.sign_in(user)

    expect(tab.page.locator("main")).to_match_aria_snapshot(
        f"""
        - heading "Is this your device?" [level=1]
        - heading "Somebody may be trying to get in" [level=2]
        - paragraph: /Go on only if you began this yourself/
        - paragraph: The device must show this code
        - paragraph: {tv.user_code}
        - paragraph: It wants to use your account
        - paragraph: "{user.user_id}"
        """
    )
    expect(tab.page.locator("main")).to_contain_text(
        "You are about to sign another device in to your account, not this browser."
    )
    facts = tab.page.locator("dl").inner_text()
    assert re.search(r"Application:\s+My television", facts)
    assert "client.example.com" not in tab.page.locator("body").inner_text()
    assert re.search(
        r"Began:\s+(just now|1 minute ago), \w+ \d+, 20\d\d, \d+:\d\d\s[AP]M UTC", facts
    )
    assert "127.0.0.1" in facts or "::1" in facts
    assert tv.device_id in facts
    # No redirect proves the address, so nothing on the page names it or leads there.
    assert tab.page.locator("main a").count() == 0
    border = tab.page.locator(".notice-danger").evaluate("e => getComputedStyle(e).borderColor")
    red, green, blue = map(int, re.findall(r"\d+", border)[:3])
    assert red > 2 * max(green, blue)


def test_c153_no_code_is_in_a_title_or_a_referrer(tab, tv, user):
    """Titles end up in histories and in screenshots of tabs; the next page's address has no code."""
    seen = []
    tab.page.on("request", lambda request: seen.append(request))  # noqa: PLW0108 (marks it)
    titles = []
    tab.page.goto(tv.answer["verification_uri_complete"])
    titles.append(tab.page.title())
    tab.press("Continue")
    tab.sign_in(user)
    titles.append(tab.page.title())
    confirm(tab)
    titles.append(tab.page.title())

    assert [title for title in titles if USER_CODE.search(title)] == []
    later = [request for request in seen if "/link?" not in request.url]
    assert [request.url for request in later if tv.user_code in request.url] == []
    referrers = [request.all_headers().get("referer", "") for request in seen]
    assert [referrer for referrer in referrers if tv.user_code in referrer] == []


def test_c142_a_device_is_turned_away(tab, tv, user):
    """No box needs to be ticked to say no; the device hears of it, and going back changes nothing."""
    tab.page.goto(tv.answer["verification_uri_complete"])
    tab.press("Continue")
    tab.sign_in(user)

    tab.press("No, that is not me")
    heading = tab.heading
    told = error(tv)
    tab.page.go_back()

    assert heading == "The device was turned away"
    assert told == "access_denied"
    assert tab.heading == "This is already done"


def test_another_account_may_let_the_device_in(tab, tv, user, sqlite_homeserver):
    """Who is signed in with the wrong account changes it on the way; the code is not lost."""
    other = sqlite_homeserver.new_user()
    tab.page.goto(tv.answer["verification_uri_complete"])
    tab.press("Continue")
    tab.sign_in(other)

    tab.press("Use another account")
    tab.choose("Use another account")
    tab.sign_in(user)
    confirm(tab)

    whoami = tab.server.whoami(tv.poll().json()["access_token"])
    assert whoami.json()["user_id"] == user.user_id


@pytest.mark.parametrize("typed", ["BCDF", "AEIO-UAEI", "12345678"])
def test_c391_what_is_no_code_is_explained(tab, tv, typed):
    """A slip is announced beside the field, what was typed stays, and nothing is counted."""
    tab.page.goto(tv.answer["verification_uri"])

    for _ in range(7):
        enter(tab, typed)

    alert, field = tab.page.get_by_role("alert"), tab.page.get_by_label("Code")
    expect(alert).to_contain_text("A code has nine letters")
    expect(field).to_have_value(typed)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_attribute("aria-describedby", alert.get_attribute("id"))
    enter(tab, tv.user_code)
    assert tab.path == "sign-in"


def test_c147_wrong_guesses_are_limited(tab, tv):
    """After five wrong codes the page asks to wait, and tells the right one from no other."""
    tab.page.goto(tv.answer["verification_uri"])

    said = []
    for code in [tv.wrong_code] * 5 + [tv.user_code, tv.wrong_code]:
        enter(tab, code)
        said.append(tab.page.get_by_role("alert").inner_text())

    assert all("This code is not right" in words for words in said[:5])
    assert "Try again in 15 minutes" in said[5]
    assert said[5] == said[6]
    assert error(tv) == "authorization_pending"


def test_c142_c151_an_expired_device_is_told_so(open_tab, tv, user, sqlite_homeserver):
    """Too late at the code, too late at the question: each page says how to begin again."""
    late = open_tab()
    late.page.goto(tv.answer["verification_uri_complete"])
    late.press("Continue")
    late.sign_in(user)
    tab = open_tab()
    tab.page.goto(tv.answer["verification_uri_complete"])
    sqlite_homeserver.query(
        "UPDATE nextgen_device_grants SET expires_at = created_at WHERE device_id = ?",
        tv.device_id,
    )

    tab.press("Continue")
    confirm(late)

    assert "This code is not right, it is not valid any more" in tab.text
    assert late.heading == "This took too long"
    assert error(tv) == "expired_token"
    late.press("Try again")
    assert late.heading == "Link a device"


def test_c185_another_site_cannot_let_a_device_in(tab, tv, user, client_site):
    """A form of a stranger that posts to the page of a signed-in person changes nothing."""
    tab.page.goto(tv.answer["verification_uri_complete"])
    tab.press("Continue")
    tab.sign_in(user)
    action = tab.page.url
    address = client_site.page(
        "/trap",
        f'<form method="post" action="{action}"><input name="decision" value="approve">'
        '<input name="confirm" value="yes"><button>Win</button></form>',
    )
    tab.page.goto(address)

    with tab.page.expect_navigation():
        tab.page.get_by_role("button", name="Win").click()

    assert tab.heading in {"That page was out of date", "This took too long"}
    assert error(tv) == "authorization_pending"


def test_c150_two_tabs_decide_once(open_tab, tv, user):
    """Approved in one tab, refused in the other one afterwards: the first decision holds."""
    one = open_tab()
    one.page.goto(tv.answer["verification_uri_complete"])
    one.press("Continue")
    one.sign_in(user)
    two = open_tab(beside=one)
    two.page.goto(one.page.url)

    confirm(one)
    two.press("No, that is not me")

    assert two.heading == "This is already done"
    assert error(tv) is None


def test_c149_only_an_administrator_sees_red(tab, server, user, sqlite_homeserver):
    """A device that wants to administer the server is refused to others, and stands out to admins."""
    scope = "urn:matrix:client:api:* urn:matrix:client:device:ADMINTV0001 urn:synapse:admin:*"
    admin = sqlite_homeserver.new_user(admin=True)
    tv = Television.begin(server, scope=scope)
    tab.page.goto(tv.answer["verification_uri_complete"])
    tab.press("Continue")
    tab.sign_in(user)
    refused = tab.heading

    tab.press("Use another account")
    tab.choose("Use another account")
    tab.sign_in(admin)

    assert refused == "Only an administrator can allow this"
    assert "It wants to administer" in tab.text
    assert "button-danger" in tab.ready_button("Sign the device in").get_attribute("class")
