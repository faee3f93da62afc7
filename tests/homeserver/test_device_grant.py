"""Signing in on a device without a browser: the endpoint, the polls, the pages (RFC 8628)."""

import re
import time

import pytest
import requests

from support.addresses import coming_from, over_ipv4
from support.oauth import (
    ADMIN,
    API,
    DEVICE,
    ISSUER_PATH,
    Browser,
    Client,
    Server,
    device_id,
    web_client,
)
from support.television import DEVICE_CODE, METADATA, Television, enter, forget_wrong_codes, let_in
from support.transactions import transactions
from synapse_nextgen_auth.oauth.grants import user_codes
from synapse_nextgen_auth.secret import Keyring, random_letters

pytestmark = [pytest.mark.every_release, pytest.mark.one_database]

USER_CODE = re.compile(r"[BCDFGHJKLMNPQRSTVWXZ]{3}(-[BCDFGHJKLMNPQRSTVWXZ]{3}){2}")
television = Television.begin


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


@pytest.fixture(autouse=True)
def forgiven(homeserver):
    """Let no test pay for the wrong codes of another one."""
    yield
    forget_wrong_codes(homeserver)


def test_a_device_signs_in(server, user):
    """Codes, a pending poll, the pages, the tokens: and the device exists before their first use."""
    tv = television(server)
    browser = Browser(server)
    pending = tv.poll()

    done = let_in(browser, tv, user)
    tokens = tv.poll().json()
    device = tv.scope.rpartition(":")[2]
    seen = server.api("GET", f"/_matrix/client/v3/devices/{device}", tokens["access_token"])

    assert USER_CODE.fullmatch(tv.answer["user_code"])
    assert tv.answer["expires_in"] == 900
    assert tv.answer["interval"] == 5
    assert pending.status_code == 400
    assert pending.json()["error"] == "authorization_pending"
    assert done.status_code == 200
    assert tokens["scope"] == tv.scope
    assert seen.json()["device_id"] == device
    assert tv.client.refresh(tokens["refresh_token"]).status_code == 200


def test_the_grant_is_advertised(server):
    """Clients find the endpoint and the grant in the metadata (MSC4341)."""
    metadata = server.metadata()

    assert metadata["device_authorization_endpoint"] == server.url("device-authorization")
    assert DEVICE_CODE in metadata["grant_types_supported"]


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_id": None}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"scope": None}, 400, "invalid_scope"),
        ({"scope": "unknown"}, 400, "invalid_scope"),
        ({"scope": f"{API} {DEVICE}ABCDEFGHIJ {DEVICE}KLMNOPQRST"}, 400, "invalid_scope"),
    ],
)
def test_c139_a_bad_request_begins_nothing(server, form, status, error):
    """Client and scope are checked before any code is handed out."""
    client = server.client(web_client(**METADATA))
    good = {"client_id": client.id, "scope": f"{API} {DEVICE}{device_id()}"}

    answer = server.post("device-authorization", good | form)

    assert answer.status_code == status
    assert answer.json()["error"] == error


def test_c139_a_client_without_the_grant_is_refused(server):
    """Only clients that registered the grant may use it, and only by a form in a POST."""
    client = server.client()
    form = {"client_id": client.id, "scope": f"{API} {DEVICE}{device_id()}"}

    refused = server.post("device-authorization", form)
    got = requests.get(server.url("device-authorization"), params=form, timeout=60)
    json = requests.post(server.url("device-authorization"), json=form, timeout=60)

    assert refused.json()["error"] == "unauthorized_client"
    assert got.status_code == 405
    assert json.status_code == 400


def test_c141_polling_too_fast_slows_down(server):
    """A hasty poll is told so, and the interval really is five seconds longer afterwards."""
    tv = television(server)

    tv.poll()
    hasty = tv.poll()
    time.sleep(5.6)
    still = tv.poll()

    assert hasty.status_code == 400
    assert hasty.json()["error"] == "slow_down"
    assert still.json()["error"] == "slow_down"


def test_c399_a_poll_is_one_read(homeserver, server):
    """The client is remembered, nothing is written, and nothing is said of it in the log."""
    tv = television(server)
    others = [Television.of(tv.client) for _ in range(3)]
    tv.poll()
    since = len(homeserver.log_text())

    answers = [other.poll().json()["error"] for other in others]
    taken = transactions(homeserver, f"{ISSUER_PATH}token", since=since, count=3)

    assert answers == ["authorization_pending"] * 3
    assert taken == [["nextgen_look_up_polls"]] * 3
    assert "Refused POST" not in homeserver.log_text()[since:]


def test_c142_denied_unknown_and_foreign_codes(server, user):
    """A denial reaches the device; unknown and foreign codes are nothing, and change nothing."""
    tv, other = television(server), television(server, client_name="Another")
    browser = Browser(server)
    foreign = tv.poll(client_id=other.client.id)
    unknown = tv.poll(device_code="x" * 43)

    enter(browser, tv, user)
    browser.submit(decision="cancel")
    denied = tv.poll()

    assert foreign.json()["error"] == "invalid_grant"
    assert unknown.json()["error"] == "invalid_grant"
    assert denied.json()["error"] == "access_denied"


def test_c143_a_device_code_is_redeemed_once(server, user):
    """The second poll after the tokens gets nothing."""
    tv = television(server)
    let_in(Browser(server), tv, user)

    first, second = tv.poll(), tv.poll()

    assert first.status_code == 200
    assert second.json()["error"] == "invalid_grant"
    assert server.whoami(first.json()["access_token"]).status_code == 200


def test_c145_signing_out_again_withdraws_the_approval(server, user):
    """Whoever approved by mistake and signs out at once has let nobody in."""
    tv = television(server)
    browser = Browser(server)
    let_in(browser, tv, user)

    browser.get(server.url(""))
    browser.submit(decision="sign-out")

    assert tv.poll().json()["error"] == "access_denied"


@pytest.mark.parametrize("change", [{"locked": True}, {"deactivated": True}])
def test_c145_an_account_that_may_not_sign_in_lets_nobody_in(homeserver, server, user, change):
    """An account that was locked or closed between approval and poll gets no session."""
    tv = television(server)
    let_in(Browser(server), tv, user)
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    server.api(
        "PUT", f"/_synapse/admin/v2/users/{user.user_id}", admin, json=change
    ).raise_for_status()

    assert tv.poll().json()["error"] == "access_denied"


@pytest.mark.parametrize("change", [str.lower, lambda c: c.replace("-", ""), "  {}  ".format])
def test_c146_codes_are_read_as_people_type_them(server, user, change):
    """Case, dashes and spaces do not matter."""
    tv = television(server)

    page = enter(Browser(server), tv, user, change(tv.answer["user_code"]))

    assert page.url.startswith(server.url("device?grant="))


def test_c147_wrong_codes_are_limited(server, user):
    """After five wrong codes a browser waits, even with the right one."""
    tv = television(server)
    browser = Browser(server)
    browser.get(tv.answer["verification_uri"])

    answers = [browser.submit(user_code="BBB-BBB-BBB").status_code for _ in range(5)]
    right = browser.submit(user_code=tv.answer["user_code"])

    assert answers == [400] * 5
    assert right.status_code == 429
    assert int(right.headers["Retry-After"]) > 0


def test_c147_a_code_dies_of_near_misses(server, user):
    """Five tries that begin as the code does, from five browsers, kill it."""
    tv = television(server)
    code = tv.answer["user_code"]
    near = code[:5] + ("BB-BBB" if code[5:] != "BB-BBB" else "CC-CCC")
    for _ in range(5):
        browser = Browser(server)
        browser.get(tv.answer["verification_uri"])
        browser.submit(user_code=near)
    browser = Browser(server)
    browser.get(tv.answer["verification_uri"])

    assert browser.submit(user_code=tv.answer["user_code"]).status_code == 400


def of_the_version_before(homeserver, tv):
    """Give the device a code of eight letters, as that version wrote it; return it as it shows it."""
    code = random_letters(user_codes.ALPHABET, 8)
    keys = Keyring.of(b"a-macaroon-key-that-only-tests-have")
    digest = keys.mac("user code", code.encode()).hex()
    half = keys.mac("user code half", code[:4].encode()).hex()
    homeserver.query(
        "UPDATE nextgen_device_grants SET user_code_digest = ?, user_code_half = ?,"
        " user_code_sealed = ? WHERE device_id = ?",
        *(digest, half, keys.seal("user code", code.encode()), tv.device_id),
    )
    return f"{code[:4]}-{code[4:]}"


def test_a_code_of_the_version_before_lets_its_device_in(homeserver, server, user):
    """From the link, as from the keyboard: an upgrade strands no device that shows one."""
    tv, browser = television(server), Browser(server)
    code = of_the_version_before(homeserver, tv)

    filled_in = browser.get(f"{tv.answer['verification_uri']}?user_code={code}")
    asked = enter(browser, tv, user, code=code.replace("-", "").lower())
    browser.submit(decision="approve", confirm="yes")

    assert f'value="{code}"' in filled_in.text
    assert code in asked.text
    assert tv.poll().status_code == 200


def test_c147_guesses_close_to_a_code_of_the_version_before_kill_it(homeserver, server):
    """They are counted against it as against any."""
    tv = television(server)
    code = of_the_version_before(homeserver, tv)
    near = code[:5] + ("BBBB" if code[5:] != "BBBB" else "CCCC")

    answers = []
    for typed in [near] * 5 + [code]:
        browser = Browser(server)
        browser.get(tv.answer["verification_uri"])
        answers.append(browser.submit(user_code=typed).status_code)

    assert answers == [400] * 6


def test_c149_the_page_lets_a_person_notice(homeserver, server, user):
    """It shows the code, the account, the address, the time and a guess at the device, and warns."""
    tv = television(server, client_name="My television")

    page = enter(Browser(server), tv, user).text

    assert tv.answer["user_code"] in page
    assert user.user_id in page
    assert "My television" in page
    assert re.search(r'<time datetime="20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ">', page)
    assert "127.0.0.1" in page or "::1" in page
    assert "Somebody may be trying to get in" in page
    assert "<strong>another device</strong>" in page
    assert "client.example.com" not in page


def test_c149_a_client_without_a_name_is_not_called_by_its_host(server, user):
    """Nothing proves that host here, neither before nor after the decision."""
    tv, browser = television(server, client_name=None), Browser(server)

    asked = enter(browser, tv, user)
    done = browser.submit(decision="approve", confirm="yes")

    assert "it gives no name" in asked.text
    assert "client.example.com" not in asked.text + done.text
    assert tv.poll().status_code == 200


def test_c150_the_box_is_checked_by_the_server(server, user):
    """Without the box nothing is approved; the question comes back."""
    tv = television(server)
    browser = Browser(server)
    enter(browser, tv, user)

    page = browser.submit(decision="approve")

    assert page.status_code == 400
    assert "Tick the box" in page.text
    assert tv.poll().json()["error"] == "authorization_pending"


def test_c150_a_second_decision_is_refused(server, user):
    """What was decided stays decided."""
    tv = television(server)
    browser = Browser(server)
    enter(browser, tv, user)
    question = browser.page

    browser.submit(decision="approve", confirm="yes")
    browser.page = question
    again = browser.submit(decision="cancel")

    assert again.status_code == 409
    assert tv.poll().status_code == 200


def test_c151_a_code_belongs_to_the_first_browser(server, user):
    """A code that somebody entered is worth nothing in another browser."""
    tv = television(server)
    first, second = Browser(server), Browser(server)
    enter(first, tv, user)
    second.get(tv.answer["verification_uri"])

    assert second.submit(user_code=tv.answer["user_code"]).status_code == 400
    assert first.submit(decision="approve", confirm="yes").status_code == 200


def test_a_filled_in_code_still_needs_a_click(server):
    """Opening the complete link alone does nothing."""
    tv = television(server)
    browser = Browser(server)

    page = browser.get(tv.answer["verification_uri_complete"])

    assert page.status_code == 200
    assert f'value="{tv.answer["user_code"]}"' in page.text
    assert tv.poll().json()["error"] == "authorization_pending"


def test_c154_a_flood_is_stopped(homeserver, server):
    """One address begins a burst of device grants, and no more until it has waited."""
    client = server.client(web_client(**METADATA))
    form = {"client_id": client.id, "scope": f"{API} {DEVICE}{device_id()}"}
    flood = coming_from("127.0.0.54")
    begin = over_ipv4(server.url("device-authorization"))

    began, begun = time.monotonic(), 0
    while (answer := flood.post(begin, data=form, timeout=30)).status_code == 200:
        begun += 1
        assert begun <= 101 + (time.monotonic() - began) / 2
    elsewhere = server.post("device-authorization", form)
    ((written,),) = homeserver.query(
        "SELECT COUNT(*) FROM nextgen_device_grants WHERE address = ?", "127.0.0.54"
    )

    assert 100 <= begun == written
    assert answer.status_code == 429
    assert answer.json()["error"] == "temporarily_unavailable"
    assert int(answer.headers["Retry-After"]) > 0
    assert elsewhere.status_code == 200


def test_c310_a_device_of_the_account_is_not_taken_over(server, user):
    """A device grant is for new devices only."""
    device = device_id()
    scope = f"{API} {DEVICE}{device}"
    tokens = server.client().sign_in(user.localpart, user.password, scope=scope)
    tv = television(server, scope=scope)

    page = enter(Browser(server), tv, user)

    assert page.status_code == 409
    assert 'href="account"' in page.text, "it says to sign the device out, and leads there"
    assert server.whoami(tokens["access_token"]).status_code == 200


def test_c310_of_two_grants_for_one_new_device_the_second_gets_nothing(server, user):
    """Both were agreed to while the id was free; what collected first goes on undisturbed."""
    first, second = (television(server, scope=f"{API} {DEVICE}TWICE{user.localpart}") for _ in "ab")
    let_in(Browser(server), first, user)
    let_in(Browser(server), second, user)

    tokens = first.poll().json()
    late = second.poll()
    again = second.poll()

    assert (late.status_code, late.json()["error"]) == (400, "access_denied")
    assert (again.status_code, again.json()["error"]) == (400, "access_denied")
    assert server.whoami(tokens["access_token"]).status_code == 200
    assert first.client.refresh(tokens["refresh_token"]).status_code == 200


def test_c310_a_device_that_signed_in_the_old_way_meanwhile_stays(homeserver, server, user):
    """Its token lives on, and the grant for its id is of no use."""
    tv = television(server)
    let_in(Browser(server), tv, user)
    legacy = homeserver.login(user, device_id=tv.device_id)

    late = tv.poll()

    assert (late.status_code, late.json()["error"]) == (400, "access_denied")
    assert server.whoami(legacy["access_token"]).json()["device_id"] == tv.device_id


def test_c311_only_admins_let_an_admin_client_in(homeserver, server, user):
    """The admin scope is for admins here too, and stands out."""
    scope = f"{API} {DEVICE}{device_id()} {ADMIN}"
    admin = homeserver.new_user(admin=True)

    refused = enter(Browser(server), television(server, scope=scope), user)
    asked = enter(Browser(server), television(server, scope=scope), admin)

    assert refused.status_code == 403
    assert "administer" in asked.text


def test_the_grant_can_be_switched_off(start_homeserver):
    """Then it is nowhere advertised and refused everywhere, and so is the QR code."""
    homeserver = start_homeserver(module={"device_grants": {"enabled": False}})
    server = Server(homeserver.base_url)
    metadata = server.metadata()
    versions = requests.get(f"{homeserver.base_url}/_matrix/client/versions", timeout=60).json()
    client = server.client(web_client(grant_types=[DEVICE_CODE, "authorization_code"]))

    begun = server.post("device-authorization", {"client_id": client.id, "scope": "openid"})
    polled = server.token(grant_type=DEVICE_CODE, device_code="x", client_id=client.id)
    met = requests.post(
        f"{homeserver.base_url}/_matrix/client/unstable/org.matrix.msc4108/rendezvous",
        data="x",
        headers={"Content-Type": "text/plain"},
        timeout=60,
    )

    assert "device_authorization_endpoint" not in metadata
    assert DEVICE_CODE not in metadata["grant_types_supported"]
    assert client.registered["grant_types"] == ["authorization_code"]
    assert begun.status_code == 404
    assert polled.json()["error"] == "unsupported_grant_type"
    assert not versions["unstable_features"].get("org.matrix.msc4108")
    assert met.status_code == 404


def test_a_configured_client_signs_in_without_a_browser(public_homeserver, public_server):
    """Without redirect URIs, a page of its own or the code grant; and it may refresh."""
    user, browser = public_homeserver.new_user(), Browser(public_server)
    tv = Television.of(Client(public_server, {"client_id": "wall-display"}))
    browser.get(public_server.url("link"))
    browser.submit(user_code=tv.user_code)
    page = browser.sign_in(user.localpart, user.password)
    browser.submit(decision="approve", confirm="yes")

    tokens = tv.poll().json()

    assert "Display in the hall" in page.text
    assert public_server.whoami(tokens["access_token"]).status_code == 200
    assert tv.client.refresh(tokens["refresh_token"]).status_code == 200
