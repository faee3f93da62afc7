"""Passwords kept as argon2id: wherever one is typed it opens, and without us it is only wrong."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import argon2
import bcrypt
import pytest

from support.commands import Operator
from support.databases import SqliteDatabase
from support.oauth import Browser, Server
from support.synapse import Homeserver, User
from support.waiting import eventually

ARGON2ID = {"passwords": {"hashing": "argon2id", "argon2_memory": 1024, "argon2_iterations": 1}}
PEPPER = "grains-of-it"
OPEN = {"enable_registration": True, "enable_registration_without_verification": True}
PASSWORD = "seven brave otters juggle"
_PLENTY = {
    "rc_login": {
        kind: {"per_second": 1000, "burst_count": 1000}
        for kind in ("address", "account", "failed_attempts")
    }
}


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory):
    directory = tmp_path_factory.mktemp("homeserver-argon2")
    homeserver = Homeserver(directory, SqliteDatabase(directory), module=ARGON2ID)
    homeserver.config = {
        **OPEN,
        "password_config": {"pepper": PEPPER},
        **_PLENTY,
    }
    with homeserver:
        yield homeserver


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


def stored(homeserver, user):
    ((found,),) = homeserver.query("SELECT password_hash FROM users WHERE name = ?", user.user_id)
    return found


def ours(homeserver, user):
    """Return the argon2id hashes that are noted as this account's."""
    sql = "SELECT hash FROM nextgen_passwords WHERE user_id = ?"
    return [found for (found,) in homeserver.query(sql, user.user_id)]


def log_in(server, user, password):
    body = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": user.localpart},
        "password": password,
    }
    return server.api("POST", "/_matrix/client/v3/login", None, json=body)


def sign_up(server, name):
    """Make an account in the browser; return it."""
    browser = Browser(server)
    browser.get(server.url("register"))
    page = browser.submit(username=name, password=PASSWORD, decision="create")
    assert page.status_code == 200, page.text
    return User(f"@{name}:localhost", name, PASSWORD)


def set_by_link(homeserver, server, user):
    """Let somebody set a password with an administrator's link; return the account with it."""
    made = Operator.of(homeserver).ask("set-password-link", user=user.user_id)
    browser = Browser(server)
    browser.get(made["url"])
    page = browser.submit(password=PASSWORD, sign_out="yes", decision="set")
    assert page.status_code == 200, page.text
    return User(user.user_id, user.localpart, PASSWORD)


def write_bcrypt(homeserver, user, password):
    """Give an account a password as Synapse alone would have kept it."""
    made = bcrypt.hashpw((password + PEPPER).encode(), bcrypt.gensalt(4)).decode()
    homeserver.query("UPDATE users SET password_hash = ? WHERE name = ?", made, user.user_id)
    homeserver.query("DELETE FROM nextgen_passwords WHERE user_id = ?", user.user_id)
    return made


def test_a_new_account_has_an_argon2id_hash_and_a_stand_in(homeserver):
    """Synapse's column holds a bcrypt hash of nothing, of the usual cost."""
    user = homeserver.new_user()

    (made,) = ours(homeserver, user)
    assert made.startswith("$argon2id$v=19$m=1024,t=1,p=1$")
    assert argon2.PasswordHasher().verify(made, (user.password + PEPPER).encode())
    stand_in = stored(homeserver, user)
    assert stand_in.startswith("$2b$")
    assert not bcrypt.checkpw((user.password + PEPPER).encode(), stand_in.encode())


def test_an_account_of_our_pages_has_one_and_so_has_a_password_set_with_a_link(server, homeserver):
    """Each opens the sign-in page, the legacy login, and no more than the password does."""
    signed_up = sign_up(server, "hasher")
    linked = set_by_link(homeserver, server, homeserver.new_user())

    for user in (signed_up, linked):
        (made,) = ours(homeserver, user)
        assert argon2.PasswordHasher().verify(made, (PASSWORD + PEPPER).encode())
        assert not bcrypt.checkpw((PASSWORD + PEPPER).encode(), stored(homeserver, user).encode())
        browser = Browser(server)
        browser.get(server.url("sign-in"))
        assert browser.sign_in(user.localpart, PASSWORD + "!").status_code == 403
        assert browser.sign_in(user.localpart, PASSWORD).status_code == 200
        assert log_in(server, user, PASSWORD).status_code == 200
    nobodys = "SELECT COUNT(*) FROM nextgen_passwords WHERE user_id IS NULL"
    assert homeserver.query(nobodys) == [(0,)]


def test_it_opens_the_sign_in_page_and_the_legacy_login(server, homeserver):
    user = homeserver.new_user()

    assert server.client().sign_in(user.localpart, user.password)["access_token"]
    assert log_in(server, user, user.password).status_code == 200
    assert log_in(server, user, "wrong").status_code == 403


def test_c229_a_long_password_counts_to_its_last_letter(server, homeserver):
    """Bcrypt looks at 72 bytes; with another spelling of the same letters it opens, too (NFKC)."""
    user = homeserver.new_user()
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    password = "x" * 100 + "e\u0301ﬁ"
    path = f"/_synapse/admin/v2/users/{user.user_id}"
    assert server.api("PUT", path, admin, json={"password": password}).status_code == 200

    assert log_in(server, user, "x" * 100 + "éfi").status_code == 200
    assert log_in(server, user, "x" * 100 + "éfj").status_code == 403
    assert log_in(server, user, "x" * 72).status_code == 403


def test_a_password_of_synapse_is_kept_anew_once_it_was_typed(server, homeserver):
    user = homeserver.new_user()
    former = write_bcrypt(homeserver, user, "from-before")

    assert log_in(server, user, "wrong").status_code == 403
    assert stored(homeserver, user) == former
    assert log_in(server, user, "from-before").status_code == 200

    assert eventually(lambda: len(ours(homeserver, user)) == 1)
    assert stored(homeserver, user) != former
    assert log_in(server, user, "from-before").status_code == 200


def test_a_password_that_cannot_be_kept_anew_just_now_is_so_later(server, homeserver):
    """Whoever typed it is signed in all the same, and the log has a warning."""
    user = homeserver.new_user()
    write_bcrypt(homeserver, user, "from-before")
    homeserver.query(
        "CREATE TRIGGER away BEFORE INSERT ON nextgen_passwords BEGIN SELECT RAISE(ABORT, 'away'); END"
    )
    try:
        assert log_in(server, user, "from-before").status_code == 200
        warning = f"WARNING.*Could not keep the password of {re.escape(user.user_id)} anew yet"
        assert eventually(lambda: re.search(warning, homeserver.log_text()))
    finally:
        homeserver.query("DROP TRIGGER away")
    assert log_in(server, user, "from-before").status_code == 200

    assert eventually(lambda: len(ours(homeserver, user)) == 1)


def test_a_hash_of_other_costs_is_made_anew_once_it_was_typed(server, homeserver):
    user = homeserver.new_user()
    cheap = argon2.PasswordHasher(1, 64, 1).hash((user.password + PEPPER).encode())
    homeserver.query("UPDATE nextgen_passwords SET hash = ? WHERE user_id = ?", cheap, user.user_id)

    assert log_in(server, user, user.password).status_code == 200

    assert eventually(lambda: "m=1024" in ours(homeserver, user)[0])
    assert log_in(server, user, user.password).status_code == 200


@pytest.mark.parametrize("by", ["admin", "person", "database"])
def test_a_password_that_is_set_elsewhere_wins(server, homeserver, by):
    """The admin API, `/account/password`, or whoever writes to Synapse's column."""
    user = homeserver.new_user()
    token = homeserver.login(user)["access_token"]
    new = f"new-{time.time()}"
    if by == "admin":
        admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
        path = f"/_synapse/admin/v1/reset_password/{user.user_id}"
        assert server.api("POST", path, admin, json={"new_password": new}).status_code == 200
    elif by == "person":
        path, body = "/_matrix/client/v3/account/password", {"new_password": new}
        session = server.api("POST", path, token, json=body).json()["session"]
        auth = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": user.localpart},
            "password": user.password,
            "session": session,
        }
        answer = server.api("POST", path, token, json={**body, "auth": auth})
        assert answer.status_code == 200, answer.text
    else:
        write_bcrypt(homeserver, user, new)

    assert log_in(server, user, user.password).status_code == 403
    assert log_in(server, user, new).status_code == 200
    assert eventually(lambda: len(ours(homeserver, user)) == 1)


def test_a_password_that_a_client_changes_after_an_approval_is_an_argon2id_hash(server, homeserver):
    """The request of the Client-Server API, with a token of ours: the former hash is gone."""
    user = homeserver.new_user()
    token = server.client().sign_in(user.localpart, user.password)["access_token"]
    former = stored(homeserver, user)
    path, body = "/_matrix/client/v3/account/password", {"new_password": PASSWORD}
    challenge = server.api("POST", path, token, json=body).json()
    browser = Browser.of(server, user)
    browser.get(challenge["params"]["m.login.sso"]["url"])
    browser.submit(decision="approve")
    retry = body | {"auth": {"session": challenge["session"]}}
    done = server.api("POST", path, token, json=retry)
    hashes = ours(homeserver, user)

    assert done.status_code == 200, done.text
    assert stored(homeserver, user) != former
    assert [each.startswith("$argon2id$") for each in hashes] == [True]
    assert log_in(server, user, PASSWORD).status_code == 200
    assert log_in(server, user, user.password).status_code == 403


def test_an_account_that_is_deactivated_leaves_no_hash(server, homeserver):
    user = homeserver.new_user()
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    path = f"/_synapse/admin/v1/deactivate/{user.user_id}"

    assert server.api("POST", path, admin, json={"erase": False}).status_code == 200

    assert ours(homeserver, user) == []


def test_many_sign_ins_at_once_keep_one_hash(server, homeserver):
    """Each of them would keep the password anew: one does, and all go on working."""
    user = homeserver.new_user()
    write_bcrypt(homeserver, user, "from-before")

    with ThreadPoolExecutor(8) as at_once:
        answers = list(at_once.map(lambda _: log_in(server, user, "from-before"), range(8)))

    assert {answer.status_code for answer in answers} == {200}
    assert eventually(lambda: len(ours(homeserver, user)) == 1)
    assert log_in(server, user, "from-before").status_code == 200


def test_typing_a_password_claims_it(server, homeserver):
    """Whose hash it is may not have been noted, as the process died that made it."""
    user = homeserver.new_user()
    homeserver.query("UPDATE nextgen_passwords SET user_id = NULL WHERE user_id = ?", user.user_id)

    assert log_in(server, user, user.password).status_code == 200

    assert eventually(lambda: len(ours(homeserver, user)) == 1)


def test_housekeeping_deletes_no_password_that_is_in_use(tmp_path):
    """Nobody typed it for months; what stands in for nothing goes."""
    homeserver = Homeserver(tmp_path, SqliteDatabase(tmp_path), module=ARGON2ID)
    with homeserver:
        users = [homeserver.new_user() for _ in range(3)]
        left = homeserver.new_user()
    homeserver.query("UPDATE nextgen_passwords SET user_id = NULL, made_at = 0")
    homeserver.query("UPDATE users SET password_hash = 'x' WHERE name = ?", left.user_id)
    with homeserver:
        server = Server(homeserver.base_url)
        nobodys = "SELECT COUNT(*) FROM nextgen_passwords WHERE user_id IS NULL"
        assert eventually(lambda: homeserver.query(nobodys) == [(0,)])
        assert [len(ours(homeserver, user)) for user in (*users, left)] == [1, 1, 1, 0]
        for user in users:
            assert log_in(server, user, user.password).status_code == 200


def test_without_the_module_it_is_a_wrong_password_and_a_reset_works(tmp_path):
    """And with it, though the option is off again, it opens, and is kept by Synapse from then on."""
    homeserver = Homeserver(
        tmp_path, SqliteDatabase(tmp_path), module=ARGON2ID, config={**OPEN, **_PLENTY}
    )
    with homeserver:
        server = Server(homeserver.base_url)
        user, other = homeserver.new_user(), homeserver.new_user()
        of_our_pages = [
            sign_up(server, "leaver"),
            set_by_link(homeserver, server, homeserver.new_user()),
        ]
        admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    homeserver.module = {"enabled": False}
    with homeserver:
        assert log_in(server, user, user.password).status_code == 200
        assert ours(homeserver, user)
    homeserver.module = None
    with homeserver:
        for each in (user, *of_our_pages):
            assert log_in(server, each, each.password).status_code == 403
            path = f"/_synapse/admin/v1/reset_password/{each.user_id}"
            assert server.api("POST", path, admin, json={"new_password": "n3w"}).status_code == 200
            assert log_in(server, each, "n3w").status_code == 200
    homeserver.module = {}
    with homeserver:
        assert log_in(server, user, "n3w").status_code == 200
        assert log_in(server, other, other.password).status_code == 200
        assert eventually(lambda: ours(homeserver, other) == [])
        assert log_in(server, other, other.password).status_code == 200
