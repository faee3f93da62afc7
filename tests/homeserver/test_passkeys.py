"""Passkeys over HTTP: made on the account's pages, and signing in with them, with a key in software."""

import html
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import cbor2
import pytest
import requests

from support.oauth import Browser, Server, claims
from support.passkeys import UP, UV, SoftKey, b64, form_of, question
from support.synapse import Homeserver
from synapse_nextgen_auth.accounts.factors.passkeys import challenges
from synapse_nextgen_auth.accounts.factors.passkeys.challenges import Bound, Ceremony
from synapse_nextgen_auth.secret import Keyring, digest

pytestmark = pytest.mark.newest_only

SECRET = "a secret that only these tests have, which is long"
MODULE = {"secret": SECRET, "factors": {"policy": "optional"}}


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory, make_database):
    """Yield a homeserver on which people may have second factors."""
    directory = tmp_path_factory.mktemp("homeserver-passkeys")
    database = make_database("sqlite", directory)
    with Homeserver(directory, database, module=MODULE) as started:
        yield started


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


@pytest.fixture
def browser(server, user):
    return Browser.of(server, user)


def a_key(homeserver, *, of=SoftKey, **fields):
    return of(**{"rp_id": "localhost", "origin": homeserver.base_url, **fields})


def press(browser, answer, **fields):
    """Send the answer of a passkey with the form that asked for it."""
    action, hidden = form_of(browser.page)
    data = {**hidden, "passkey": answer, "decision": "passkey", **fields}
    return browser._follow(browser.http.post(action, data=data, allow_redirects=False, timeout=30))


def add(browser, key, **fields):
    page = browser.get(browser.server.url("account-passkey-add"))
    return press(browser, key.make(question(page)), **fields)


def sign_in(server, key, *, parameters=None):
    """Open the sign-in page in a new browser, and sign in with a passkey; return the browser."""
    browser = Browser(server)
    page = browser.authorize(parameters) if parameters else browser.get(server.url("sign-in"))
    press(browser, key.use(question(page)))
    return browser


def rows(homeserver, user):
    return homeserver.query(
        "SELECT name, sign_count, is_verified, last_used_at FROM nextgen_passkeys"
        " WHERE user_id = ? ORDER BY made_at",
        user.user_id,
    )


def test_one_is_added_and_signs_in_without_a_name(homeserver, server, browser, user):
    """Both factors at once: nobody is asked for another thing."""
    key = a_key(homeserver)
    client = server.client()

    page = add(browser, key, name="  My\tphone ")

    assert "Your recovery codes" in page.text
    assert "Your second factor is set up, and counts from now on." in page.text
    assert "your app" not in page.text
    assert "My phone" in browser.get(server.url("account-sign-in")).text
    parameters, verifier = client.request()
    other = sign_in(server, key, parameters=parameters)
    told = other.answer(other.submit(decision="approve"))
    redeemed = client.redeem(told["code"], verifier).json()
    said = claims(redeemed["id_token"]) if "id_token" in redeemed else {}
    assert set(said.get("amr", ["mfa"])) >= {"mfa"}
    [(name, count, verified, used)] = rows(homeserver, user)
    assert (name, count, verified) == ("My phone", 1, 1)
    assert used


def test_who_has_one_is_asked_for_it_beside_the_password(homeserver, server, browser, user):
    """C293: a password alone leads nobody in from then on."""
    key = a_key(homeserver, flags=UP)  # it asks nobody who they are
    add(browser, key)
    other = Browser(server)
    other.get(server.url("sign-in"))

    page = other.sign_in(user.localpart, user.password)

    assert "/factor" in page.url
    assert Browser(server).get(server.url("account")).url.startswith(server.url("sign-in"))
    asked = question(page)
    [known] = json.loads(asked)["allowCredentials"]
    assert known["id"] == b64(key.credential_id)
    press(other, key.use(asked))
    assert user.user_id in other.get(server.url("account")).text


def test_c281_another_accounts_passkey_is_no_second_factor(homeserver, server, browser, user):
    """Nor one that asks for something else, or in another attempt."""
    key, thief = a_key(homeserver), homeserver.new_user()
    add(browser, key)
    thiefs_key = a_key(homeserver)
    add(Browser.of(server, thief), thiefs_key)
    other = Browser(server)
    other.get(server.url("sign-in"))
    page = other.sign_in(user.localpart, user.password)

    page = press(other, thiefs_key.use(question(page)))

    assert page.status_code == 403
    assert "That is no passkey of this account" in page.text
    fresh = Browser(server).get(server.url("sign-in"))
    assert press(other, key.use(question(fresh))).status_code == 403
    press(other, key.use(question(other.page)))
    assert user.user_id in other.get(server.url("account")).text


@pytest.mark.parametrize(
    "changed",
    [
        {"origin": "https://evil.test"},
        {"rp_id": "evil.test"},
        {"flags": UV},
        {"flags": UP},
        {"client_data": {"type": "webauthn.create"}},
        {"client_data": {"crossOrigin": True}},
        {"client_data": {"challenge": "AAAA"}},
    ],
    ids=["origin", "site", "nobody-there", "unverified", "type", "frame", "challenge"],
)
def test_c279_a_wrong_answer_signs_nobody_in(homeserver, server, browser, changed):
    key = a_key(homeserver)
    add(browser, key)
    for name, value in changed.items():
        setattr(key, name, value)

    other = sign_in(server, key)

    assert other.page.status_code == 403
    assert "does not open an account here" in other.page.text


def test_c279_an_answer_is_good_in_its_browser_alone(homeserver, server, browser):
    """Whoever copies the question onto a page of theirs gets an answer that is worth nothing."""
    key = a_key(homeserver)
    add(browser, key)
    thiefs, victims = Browser(server), Browser(server)
    thiefs.get(server.url("sign-in"))
    victims.get(server.url("sign-in"))

    page = press(thiefs, key.use(question(victims.page)))

    assert page.status_code == 403


def test_c279_an_answer_counts_once(homeserver, server, browser):
    """Sent by ten at once: one of them is signed in."""
    key = a_key(homeserver, counts=False)
    add(browser, key)
    other = Browser(server)
    page = other.get(server.url("sign-in"))
    action, hidden = form_of(page)
    data = {**hidden, "passkey": key.use(question(page)), "decision": "passkey"}

    def send(_):
        return other.http.post(action, data=data, allow_redirects=False, timeout=30).status_code

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(send, range(10)))

    assert answers.count(303) == 1
    # The first one gave the browser another cookie, with which the others are of no page of ours.
    assert set(answers) <= {303, 403, 409}


def test_c279_an_old_question_is_asked_again(homeserver, server, browser, user):
    """After five minutes; the page says so and asks anew."""
    key = a_key(homeserver)
    add(browser, key)
    other = Browser(server)
    page = other.get(server.url("sign-in"))
    bound = Bound(ceremony=Ceremony.SIGN_IN, browser=digest(other.cookie.split(".")[0]))
    old = challenges.draw(Keyring.of(SECRET.encode()), bound, now=int(time.time()) - 301)
    asked = json.loads(question(page)) | {"challenge": b64(old)}

    page = press(other, key.use(json.dumps(asked)))
    assert "took too long" in page.text
    press(other, key.use(question(page)))

    assert user.user_id in other.get(server.url("account")).text


@pytest.mark.parametrize("handle", ["AAAA", None], ids=["another", "none"])
def test_c281_another_accounts_handle_is_refused(homeserver, server, browser, handle):
    key = a_key(homeserver)
    add(browser, key)
    key.user_handle = handle

    assert sign_in(server, key).page.status_code == 403


def test_c281_a_key_that_nobody_added_opens_nothing(homeserver, server):
    assert sign_in(server, a_key(homeserver)).page.status_code == 403


def test_c282_nobody_adds_what_somebody_has(homeserver, server, browser):
    """Not even the same person, though a device that was told not to makes it all the same."""
    key = a_key(homeserver)
    add(browser, key)
    other = Browser.of(server, homeserver.new_user())

    page = add(other, key)

    assert page.status_code == 400
    assert "opens an account here already" in page.text
    assert add(browser, key).status_code == 400


class DeadKey(SoftKey):
    """A key that makes what can be read and never checked: its modulus is even."""

    def public_key(self):
        return {1: 3, 3: -257, -1: b"\xff" * 255 + b"\xfe", -2: b"\1\0\1"}


def test_c283_a_key_that_never_proves_anything_is_not_added(homeserver, server, browser, user):
    """Its owner hears that another one has to be taken: the same would be refused again and again."""
    page = add(browser, a_key(homeserver, of=DeadKey))

    assert page.status_code == 400
    assert "This server could never check a passkey of this device" in page.text
    assert rows(homeserver, user) == []


def test_a_second_press_is_no_copy(homeserver, server, browser, user):
    """Back and reload, or a browser that repeats a POST: the page says that it is done already."""
    key = a_key(homeserver)
    add(browser, key)
    other = Browser(server)
    page = other.get(server.url("sign-in"))
    action, hidden = form_of(page)
    data = {**hidden, "passkey": key.use(question(page)), "decision": "passkey"}
    cookies = other.http.cookies.get_dict()

    first = other.http.post(action, data=data, allow_redirects=False, timeout=30)
    again = requests.post(action, data=data, cookies=cookies, allow_redirects=False, timeout=30)

    assert (first.status_code, again.status_code) == (303, 409)
    kinds = homeserver.query("SELECT kind FROM nextgen_events WHERE user_id = ?", user.user_id)
    assert ("passkey_copied",) not in kinds


@pytest.mark.parametrize(
    "name", ["\ud800", "a\x00b", "", "a" * 1401, "ä", "a b", "a=", None, 1, ["a"]]
)
def test_c281_an_odd_id_is_refused(homeserver, server, name):
    """By whoever has no account here: nothing of it reaches the database, or the log as an error."""
    browser = Browser(server)
    page = browser.get(server.url("sign-in"))

    answer = a_key(homeserver).use(question(page), id=name, rawId=name)

    assert press(browser, answer).status_code == 403


def test_c286_a_key_of_another_address_is_no_way_in_and_no_factor(
    homeserver, server, browser, user
):
    """Browsers use it at that one alone: the password stays, which is all that opens the account."""
    add(browser, a_key(homeserver))
    homeserver.query(
        "UPDATE nextgen_passkeys SET rp_id = 'old.example.com' WHERE user_id = ?", user.user_id
    )

    page = browser.get(server.url("account-password-remove"))

    assert 'value="remove"' not in page.text
    assert "the only way in" in page.text


def test_a_copied_key_is_refused_and_its_owner_hears_of_it(homeserver, server, browser, user):
    """The one whose counter does not go on is the copy, or what was copied."""
    key = a_key(homeserver)
    add(browser, key)
    sign_in(server, key)
    key.count = 0

    assert sign_in(server, key).page.status_code == 403
    kinds = homeserver.query("SELECT kind FROM nextgen_events WHERE user_id = ?", user.user_id)
    assert ("passkey_copied",) in kinds


def bomb():
    """Return what the decoder of CBOR makes a regular expression of, for longer than anybody waits."""
    ranges = "".join(f"{chr(0x5F + at)}-\U0010ffff" for at in range(600))
    return cbor2.dumps(cbor2.CBORTag(35, f"(?i)[{ranges}]"))


def test_c902_an_answer_that_would_take_long_to_read_is_refused(homeserver, server, browser, user):
    """Of somebody signed in, who adds a passkey, as of who is nobody yet and knows one."""
    key = a_key(homeserver)
    page = browser.get(server.url("account-passkey-add"))
    attested = b64(b"\xa1\x67attStmt" + bomb())
    answer = key.make(question(page), response={"attestationObject": attested})
    assert press(browser, answer).status_code == 400
    add(browser, key)
    other = Browser(server)
    page = other.get(server.url("sign-in"))
    data = sha256(b"localhost").digest() + bytes([UP | UV | 0x80]) + bytes(4) + bomb()

    page = press(other, key.use(question(page), response={"authenticatorData": b64(data)}))

    assert page.status_code == 403
    assert "does not open an account here" in page.text
    versions = requests.get(f"{homeserver.base_url}/_matrix/client/versions", timeout=5)
    assert versions.status_code == 200
    press(other, key.use(question(page)))
    assert user.user_id in other.get(server.url("account")).text


def test_c287_it_gets_another_name_and_goes(homeserver, server, browser, user):
    add(browser, a_key(homeserver), name="Phone")
    page = browser.get(server.url("account-sign-in"))
    url = re.search(r'href="(account-passkey\?[^"]*)"', page.text)[1]
    browser.get(server.url(html.unescape(url)))

    page = browser.submit(name="<b>Old phone</b>", decision="rename")
    assert "has its new name" in page.text
    assert "&lt;b&gt;Old phone&lt;/b&gt;" in page.text
    assert browser.submit(name="x" * 65, decision="rename").status_code == 400
    browser.get(server.url(html.unescape(url).replace("account-passkey", "account-passkey-remove")))
    page = browser.submit(decision="remove")

    assert "does not open your account any more" in page.text
    assert rows(homeserver, user) == []


def test_c301_another_accounts_key_is_not_found(homeserver, server, browser):
    add(browser, a_key(homeserver))
    page = browser.get(server.url("account-sign-in"))
    url = html.unescape(re.search(r'href="(account-passkey\?[^"]*)"', page.text)[1])
    other = Browser.of(server, homeserver.new_user())

    for place in ("account-passkey", "account-passkey-remove"):
        assert other.get(server.url(url.replace("account-passkey", place))).status_code == 404


def test_c286_the_last_way_in_stays(homeserver, server, browser, user):
    """An account without a password, whose only key is to go."""
    add(browser, a_key(homeserver))
    homeserver.query("UPDATE users SET password_hash = NULL WHERE name = ?", user.user_id)
    page = browser.get(server.url("account-sign-in"))
    url = html.unescape(re.search(r'href="(account-passkey\?[^"]*)"', page.text)[1])
    browser.get(server.url(url.replace("account-passkey", "account-passkey-remove")))

    page = browser.page
    assert page.status_code == 200
    page = browser.submit(decision="remove")

    assert page.status_code == 409
    assert "the only way in" in page.text
    assert len(rows(homeserver, user)) == 1


def test_c286_a_key_is_added_after_a_fresh_proof(homeserver, server, browser, user):
    """Which takes the key that there is: a password alone is none any more."""
    key = a_key(homeserver)
    add(browser, key)
    homeserver.query(
        "UPDATE nextgen_browsers SET signed_in_at = signed_in_at - 400 WHERE user_id = ?",
        user.user_id,
    )

    page = browser.get(server.url("account-passkey-add"))
    assert page.url.startswith(server.url("sign-in"))
    [known] = json.loads(question(page))["allowCredentials"]
    assert known["id"] == b64(key.credential_id)
    page = press(browser, key.use(question(page)))

    assert page.url.startswith(server.url("account-passkey-add"))
    assert page.status_code == 200


@pytest.fixture(scope="module")
def strict_homeserver(tmp_path_factory, make_database):
    """Yield a homeserver on which everybody needs a second factor at once."""
    directory = tmp_path_factory.mktemp("homeserver-strict")
    database = make_database("sqlite", directory)
    module = {"factors": {"policy": "required"}}
    config = {"enable_registration": True, "enable_registration_without_verification": True}
    with Homeserver(directory, database, module=module, config=config) as started:
        yield started


def test_c294_who_needs_a_factor_makes_a_passkey_at_the_sign_in(strict_homeserver):
    """And is signed in with it: nobody is without, and nobody else gets in by the password."""
    server, user = Server(strict_homeserver.base_url), strict_homeserver.new_user()
    browser, key = Browser(server), a_key(strict_homeserver)
    browser.get(server.url("sign-in"))
    page = browser.sign_in(user.localpart, user.password)
    assert "/factor-enrol" in page.url

    page = press(browser, key.make(question(page), response={"attestationObject": "AAAA"}))
    assert page.status_code == 400
    page = press(browser, a_key(strict_homeserver, of=DeadKey).make(question(page)))
    assert page.status_code == 400
    assert "This server could never check a passkey of this device" in page.text
    page = press(browser, key.make(question(page)))
    assert "Your recovery codes" in page.text
    assert "Your second factor is set up, and counts from now on." in page.text
    assert "your app" not in page.text
    browser.submit(decision="kept")

    assert user.user_id in browser.get(server.url("account")).text
    [(level,)] = strict_homeserver.query(
        "SELECT level FROM nextgen_browsers WHERE user_id = ?", user.user_id
    )
    assert level == 3
    other = Browser(server)
    other.get(server.url("sign-in"))
    assert "Second factor" in other.sign_in(user.localpart, user.password).text


def test_who_signs_up_where_one_is_required_may_make_a_passkey(strict_homeserver):
    """It is their second factor there as anywhere, and they go on with what they came for."""
    server = Server(strict_homeserver.base_url)
    browser, key = Browser(server), a_key(strict_homeserver)
    browser.authorize(server.client().request(prompt="create")[0])

    page = browser.submit(
        username="newcomer", password="a password of hers", display_name="", decision="create"
    )
    codes = press(browser, key.make(question(page)))
    consent = browser.submit(decision="kept")

    assert "/factor-enrol" in page.url
    assert "Your recovery codes" in codes.text
    assert "/consent?" in consent.url
