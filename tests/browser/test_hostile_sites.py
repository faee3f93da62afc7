"""What other web sites try with the browser of somebody who is signed in here."""

import html
from urllib.parse import urlencode

import pytest
import requests

from support.oauth import Browser

FORM = """<!doctype html><title>Evil</title>
<form method="post" action="{action}">{fields}</form>
<script>document.forms[0].submit()</script>"""


def auto_post(action, fields):
    """Return a page that posts a form by itself."""
    inputs = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in fields.items()
    )
    return FORM.format(action=html.escape(action), fields=inputs)


def proof(page):
    """Return the value that a form of ours carries."""
    return page.locator("input[name=csrf]").input_value()


@pytest.fixture
def signed_in(tab, user):
    """Return a tab of somebody who is signed in."""
    tab.open("sign-in")
    tab.sign_in(user)
    return tab


def who_is_signed_in(tab):
    tab.open()
    return tab.text


def _framed(tab):
    """Return the one frame of the page, once the browser has decided about it and said so."""
    tab.until(
        lambda: [f for f in tab.page.main_frame.child_frames if f.url and f.url != "about:blank"]
    )
    tab.page.wait_for_load_state("networkidle")
    # A connection that ended in the middle, because nobody wanted the rest, says nothing of frames.
    tab.complaints[:] = [told for told in tab.complaints if "net::ERR_" not in told]
    (framed,) = tab.page.main_frame.child_frames
    return framed


@pytest.mark.parametrize("path", ["", "sign-in", "nothing-here", "authorize?client_id=nobody"])
def test_c177_no_page_lets_itself_be_framed(signed_in, server, client_site, path):
    """A frame of ours on somebody else's page stays empty."""
    frame = f'<!doctype html><iframe src="{server.url(path)}"></iframe>'
    signed_in.page.goto(client_site.page("/framing", frame))
    framed = _framed(signed_in)

    assert framed.url == "chrome-error://chromewebdata/"
    assert all("frame" in complaint.lower() for complaint in signed_in.complaints)
    signed_in.complaints.clear()


def test_c177_the_consent_page_cannot_be_framed(signed_in, server, client, client_site):
    """Nobody's click lands on a Continue that is not visible."""
    url = server.url("authorize?" + urlencode(client.request()[0]))
    signed_in.page.goto(
        client_site.page("/framing", f'<!doctype html><iframe src="{url}"></iframe>')
    )
    framed = _framed(signed_in)

    assert framed.url == "chrome-error://chromewebdata/"
    signed_in.complaints.clear()


@pytest.mark.parametrize("knows", ["nothing", "a proof of its own", "the proof of this browser"])
def test_c183_nobody_signs_somebody_else_in(tab, server, user, client_site, knows):
    """A page that posts an attacker's name and password does not sign this browser in."""
    tab.open("sign-in")
    fields = {"identifier": user.localpart, "password": user.password, "decision": "sign-in"}
    if knows == "a proof of its own":
        attackers = Browser(server)
        attackers.get(server.url("sign-in"))
        fields["csrf"] = attackers.page.text.partition('name="csrf" value="')[2].partition('"')[0]
    if knows == "the proof of this browser":
        fields["csrf"] = proof(tab.page)

    tab.page.goto(client_site.page("/evil", auto_post(server.url("sign-in"), fields)))
    tab.page.wait_for_url("**/sign-in")

    assert tab.heading == "That page was out of date"
    assert user.user_id not in who_is_signed_in(tab)


def test_c185_looking_signs_nobody_out(signed_in, server, user, client_site):
    """No kind of GET ends a sign-in, from this site or another."""
    url = server.url("sign-out")
    tags = (
        f'<img src="{url}"><iframe src="{url}"></iframe><script src="{url}"></script>'
        f'<link rel="stylesheet" href="{url}"><object data="{url}"></object>'
    )
    tried = []
    signed_in.page.on("request", lambda request: tried.append(request.url))
    signed_in.page.goto(client_site.page("/evil", f"<!doctype html><title>Evil</title>{tags}"))
    signed_in.page.wait_for_load_state("networkidle")
    signed_in.complaints.clear()

    assert tried.count(url) == 5
    assert signed_in.open("sign-out") == 405
    assert user.user_id in who_is_signed_in(signed_in)


@pytest.mark.parametrize("knows", ["nothing", "the proof of this browser"])
def test_c185_no_other_site_signs_anybody_out(signed_in, server, user, client_site, knows):
    """A form of another site does not, whatever it got hold of."""
    signed_in.open()
    fields = {"decision": "sign-out"}
    if knows != "nothing":
        fields["csrf"] = proof(signed_in.page)

    signed_in.page.goto(client_site.page("/evil", auto_post(server.url("sign-out"), fields)))
    signed_in.page.wait_for_url("**/sign-out")

    assert signed_in.heading == "That page was out of date"
    assert user.user_id in who_is_signed_in(signed_in)


def test_c185_signing_out_ends_it_on_the_server(signed_in, server, user):
    """A copy of the cookie is worth nothing after the sign-out."""
    (cookie,) = signed_in.page.context.cookies()
    copied = {cookie["name"]: cookie["value"]}
    before = requests.get(server.issuer, cookies=copied, timeout=60).text
    signed_in.open()
    signed_in.press("Sign out")

    after = requests.get(server.issuer, cookies=copied, timeout=60).text

    assert user.user_id in before
    assert user.user_id not in after


def test_no_other_site_lets_a_client_in(signed_in, server, client, user, client_site):
    """A form of another site approves nothing, even with the grant and the proof in hand."""
    signed_in.authorize(client.request()[0])
    action, csrf = signed_in.page.url, proof(signed_in.page)
    evil = auto_post(action, {"csrf": csrf, "decision": "approve"})

    signed_in.page.goto(client_site.page("/evil", evil))
    signed_in.page.wait_for_url("**/consent*")

    assert signed_in.heading == "That page was out of date"


def test_the_cookie_is_out_of_reach_of_scripts(signed_in):
    """`HttpOnly` and `SameSite=Lax`, and nothing in `document.cookie` or any storage."""
    (cookie,) = signed_in.page.context.cookies()

    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    assert cookie["path"] == "/"
    assert signed_in.page.evaluate("[document.cookie, localStorage.length]") == ["", 0]


def test_c197_a_link_signs_no_device_out(signed_in, server, user, sqlite_homeserver, client_site):
    """Following it shows which device that is and asks; after a while it asks who is there, too."""
    sqlite_homeserver.login(
        user, device_id="OLDDEVICE0", initial_device_display_name="Old telephone"
    )
    link = server.url("account?action=org.matrix.device_delete&device_id=OLDDEVICE0")
    signed_in.page.goto(client_site.page("/evil", f'<!doctype html><a href="{link}">Win</a>'))
    with signed_in.page.expect_navigation():
        signed_in.page.get_by_text("Win").click()
    asked = signed_in.text
    sqlite_homeserver.query(
        "UPDATE nextgen_browsers SET signed_in_at = signed_in_at - 700 WHERE user_id = ?",
        user.user_id,
    )

    signed_in.page.reload()

    assert "Sign this device out?" in asked
    assert "Old telephone" in asked
    assert signed_in.path == "sign-in"
    devices = sqlite_homeserver.query(
        "SELECT device_id FROM devices WHERE user_id = ?", user.user_id
    )
    assert ("OLDDEVICE0",) in devices
