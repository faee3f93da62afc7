"""The invitations of a member in a browser: one of each kind, for everybody."""

import time

import pytest

from support.chromium import CONTRAST, problems
from support.oauth import Server
from support.synapse import sqlite_homeserver

RIGHT_TO_LEFT = "تعال إلى الحديقة"


@pytest.fixture(scope="module")
def inviting(tmp_path_factory):
    """Yield a homeserver whose members invite others."""
    directory = tmp_path_factory.mktemp("homeserver-inviting-browser")
    config = {"enable_registration": True, "registration_requires_token": True}
    module = {"invitations": {"members": True}}
    with sqlite_homeserver(directory, config=config, module=module) as homeserver:
        yield homeserver


@pytest.fixture
def server(inviting):
    return Server(inviting.base_url)


@pytest.fixture
def user(inviting):
    return inviting.new_user()


def invite(tab, words):
    tab.page.get_by_label("A few words for whomever you invite").fill(words)
    tab.press("Make an invitation")


def withdraw(tab, words):
    row = tab.page.locator("li").filter(has_text=words)
    with tab.page.expect_navigation():
        row.get_by_role("button", name="Withdraw").click()


def age(homeserver, words, *, is_used):
    """Let an invitation be used, or over by itself."""
    if is_used:
        homeserver.query(
            "UPDATE registration_tokens SET completed = 1 WHERE token ="
            " (SELECT token FROM nextgen_invitations WHERE text = ?)",
            words,
        )
    else:
        # Not for so long that the housekeeping, which comes every ten minutes, takes it away.
        over = int(time.time()) - 60
        homeserver.query(
            "UPDATE nextgen_invitations SET expires_at = ? WHERE text = ?", *(over, words)
        )
        homeserver.query(
            "UPDATE registration_tokens SET expiry_time = ? WHERE token ="
            " (SELECT token FROM nextgen_invitations WHERE text = ?)",
            *(over * 1000, words),
        )


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_one_of_each_kind_is_on_a_page_for_everybody(inviting, open_tab, axe, user, scripts):
    """Open, used, withdrawn and over; light, dark, and with large text on the smallest of screens."""
    view = {"viewport": {"width": 320, "height": 640}, "reduced_motion": "reduce"}
    tab = open_tab(java_script_enabled=scripts, **view)
    tab.open("sign-in")
    tab.sign_in(user)
    tab.open("account-invitations")
    kinds = [f"{each} for {user.localpart}" for each in ("used", "over", "withdrawn", "open")]
    for words in (*kinds, RIGHT_TO_LEFT, "w" * 500):
        invite(tab, words)
        if words == kinds[0]:
            age(inviting, words, is_used=True)
        elif words == kinds[1]:
            age(inviting, words, is_used=False)
        elif words == kinds[2]:
            withdraw(tab, words)
    tags = {
        words: tab.page.locator("li").filter(has_text=words).locator(".tag").all_inner_texts()
        for words in kinds
    }
    open_ones = tab.page.get_by_role("button", name="Withdraw").count()
    found = []
    if scripts:
        found = problems(tab, axe)
        tab.page.emulate_media(color_scheme="dark")
        found += [f"in the dark: {each}" for each in tab.page.evaluate(CONTRAST)]
        tab.page.evaluate("document.documentElement.style.fontSize = '200%'")
    width = tab.page.evaluate("document.documentElement.scrollWidth")

    assert tags == dict(zip(kinds, (["Used"], ["Over"], ["Over"], []), strict=True))
    assert open_ones == 3
    assert found == []
    assert width == 320
