"""The account that results is the one that stock's `/register` makes: each row of Synapse's."""

import json
import re
from collections import Counter

import pytest
import requests

from support.oauth import Browser, Server
from support.synapse import Homeserver
from support.waiting import eventually

pytestmark = [pytest.mark.one_database]

PASSWORD = "seven brave otters juggle"
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
# What Synapse writes by itself a little later, for all accounts at once, or about its own work.
_BY_ITSELF = re.compile(
    r"_temp_|nextgen_|sqlite_|.*_fts|background_updates|event_search|.*stats_|room_stats|user_stats"
    r"|stats_|cache_invalidation|instance_map|stream_positions|worker_|scheduled_tasks|.*_stream_"
    r"|user_directory(_search.*)?$|ratelimit_|server_keys|signature_keys|device_lists_changes"
)
# A new Synapse fills these in the background, and may add the rows of others meanwhile.
_LATER = {"users_in_public_rooms", "users_who_share_private_rooms"}
_LATER |= {"user_ips", "devices"}
# Where a session of ours is told from one of stock's: what modules are told of it is compared apart.
_SESSIONS = {"ui_auth_sessions": ("session_id", "method", "description")}


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory, make_database):
    """Yield a homeserver that does with new accounts whatever can be done with them."""
    directory = tmp_path_factory.mktemp("homeserver-rows")
    for name in ("1.0", "success"):
        path = directory / "terms" / "en" / f"{name}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("<h1>Be kind</h1>")
    config = {
        "enable_registration": True,
        "registration_requires_token": True,
        "auto_join_rooms": ["#lobby:localhost"],
        "user_types": {"default_user_type": "visitor", "extra_user_types": ["visitor"]},
        "limit_usage_by_mau": True,
        "max_mau_value": 100,
        "mau_stats_only": False,
        "user_consent": {
            "version": "1.0",
            "template_dir": str(directory / "terms"),
            "require_at_registration": True,
        },
        "form_secret": "a secret for the links to the terms",
    }
    with Homeserver(directory, make_database("sqlite", directory), config=config) as homeserver:
        homeserver.query(
            "INSERT INTO registration_tokens (token, pending, completed) VALUES ('t', 0, 0)"
        )
        yield homeserver


def rows(homeserver):
    """Return every row of Synapse's, with the names of its columns."""
    found = Counter()
    for (table,) in homeserver.query(_TABLES):
        if _BY_ITSELF.match(table):
            continue
        columns = [row[1] for row in homeserver.query(f'PRAGMA table_info("{table}")')]
        columns = _SESSIONS.get(table, columns)
        for row in homeserver.query(f'SELECT {", ".join(columns)} FROM "{table}"'):
            found[table, tuple(zip(columns, map(repr, row), strict=True))] += 1
    return found


def alike(key, name):
    """Return a row without what differs between any two accounts: names, ids, times, hashes."""
    table, row = key
    said = json.dumps(row)
    said = said.replace(name, "NAME")
    said = re.sub(r"\$2b\$[./A-Za-z0-9$]+", "HASH", said)
    said = re.sub(r"[$][A-Za-z0-9_-]{43}", "EVENT", said)
    said = re.sub(r"[A-Za-z0-9+/_-]{22,}", "LONG", said)
    return table, re.sub(r"\b(?:[2-9]|\d{2,})\b", "NUMBER", said)


def made(homeserver, name, make, *, rooms=1):
    """Return which rows there are more of after an account was made."""
    before = rows(homeserver)
    make(name)
    if rooms:
        user_id = f"@{name}:{homeserver.server_name}"
        joined = "SELECT COUNT(*) FROM room_memberships WHERE user_id = ? AND membership = 'join'"
        assert eventually(lambda: homeserver.query(joined, user_id) == [(rooms,)])
        # Synapse enters people into its directory after the request. A new one empties that once and
        # fills it again, in the background: so it is compared here, and not with the other rows.
        listed = "SELECT display_name, avatar_url FROM user_directory WHERE user_id = ?"
        assert eventually(lambda: homeserver.query(listed, user_id) == [(name, None)])
        seen_in = "SELECT COUNT(*) FROM users_in_public_rooms WHERE user_id = ?"
        assert eventually(lambda: homeserver.query(seen_in, user_id) == [(rooms,)])
    more = rows(homeserver) - before
    return Counter(
        {
            alike(key, name): count
            for key, count in more.items()
            if key[0] not in _LATER or any(name in value for _, value in key[1])
        }
    )


def by_stock(homeserver):
    """Return how an unmodified client makes an account, and signs in to nothing with it."""
    url = f"{homeserver.base_url}/_matrix/client/v3/register"
    stages = (
        {"type": "m.login.registration_token", "token": "t"},
        {"type": "m.login.terms"},
        {"type": "m.login.dummy"},
    )

    def make(name):
        body = {"username": name, "password": PASSWORD, "inhibit_login": True}
        answer = requests.post(url, json=body, timeout=30).json()
        for stage in stages:
            auth = {**stage, "session": answer["session"]}
            answer = requests.post(url, json={**body, "auth": auth}, timeout=30).json()
        assert answer["user_id"].startswith(f"@{name}:")

    return make


def on_our_pages(homeserver):
    """Return how a person makes an account in the browser."""
    browser = Browser(Server(homeserver.base_url))

    def make(name):
        browser.get(browser.server.url("register"))
        browser.submit(
            username=name, password=PASSWORD, token="t", display_name="", decision="create"
        )
        page = browser.submit(accept_terms="1.0", decision="continue")
        assert f"@{name}:" in re.sub("<[^>]+>", "", page.text), page.text

    return make


def test_an_account_of_our_pages_is_one_of_stocks(homeserver):
    """Token, terms, rooms to join, type of the account, consent, profile, directory: all of it."""
    # The first one of each makes rooms, and positions of streams.
    by_stock(homeserver)("stocka")
    on_our_pages(homeserver)("ourown")
    stock = made(homeserver, "stockb", by_stock(homeserver))
    ours = made(homeserver, "oursbb", on_our_pages(homeserver))

    assert ours - stock == Counter()
    assert stock - ours == Counter()
    tables = {table for table, _ in ours}
    assert {"users", "profiles", "room_memberships", "ui_auth_sessions_credentials"} <= tables


def by_stock_with_an_address(homeserver, mailbox):
    """Return how an unmodified client makes an account with an address: by Synapse's own link."""
    url = f"{homeserver.base_url}/_matrix/client/v3/register"

    def make(name):
        asked = {"client_secret": f"secret_{name}", "send_attempt": 1}
        address = f"{name}@example.com"
        sid = requests.post(
            f"{url}/email/requestToken", json={**asked, "email": address}, timeout=30
        ).json()["sid"]
        answer = requests.get(mailbox.last_to(address).link, timeout=30)
        assert answer.ok, answer.text
        body = {"username": name, "password": PASSWORD, "inhibit_login": True}
        session = requests.post(url, json=body, timeout=30).json()["session"]
        auth = {
            "type": "m.login.email.identity",
            "session": session,
            "threepid_creds": {"sid": sid, "client_secret": asked["client_secret"]},
        }
        answer = requests.post(url, json={**body, "auth": auth}, timeout=30).json()
        assert answer["user_id"].startswith(f"@{name}:"), answer

    return make


def with_an_address_on_our_pages(homeserver, mailbox):
    """Return how a person makes one in the browser: by the code in our mail."""
    browser = Browser(Server(homeserver.base_url))

    def make(name):
        address = f"{name}@example.com"
        browser.get(browser.server.url("register"))
        browser.submit(username=name, password=PASSWORD, display_name="", decision="create")
        browser.submit(email=address, decision="send")
        page = browser.submit(code=mailbox.last_to(address).code, decision="check")
        assert f"@{name}:" in re.sub("<[^>]+>", "", page.text), page.text

    return make


def test_an_account_with_an_address_is_one_of_stocks(mailing_homeserver, mailbox):
    """The address with its times, and nothing else, but for how each of the two asked for it."""
    homeserver = mailing_homeserver
    ways = (by_stock_with_an_address, with_an_address_on_our_pages)
    stock, ours = (way(homeserver, mailbox) for way in ways)
    stock("mailstocka")
    ours("mailoursaa")
    rows_of_stock = made(homeserver, "mailstockb", stock, rooms=0)
    rows_of_ours = made(homeserver, "mailoursbb", ours, rooms=0)
    # Synapse's links are rows, and it notes which one it was; our codes are rows of our own.
    links = {"threepid_validation_session", "threepid_validation_token"}
    rows_of_stock = Counter(
        {
            (table, re.sub(r',\\*"threepid_creds\\*":\{.*?\}', "", row)): n
            for (table, row), n in rows_of_stock.items()
            if table not in links
        }
    )

    assert rows_of_ours - rows_of_stock == Counter()
    assert rows_of_stock - rows_of_ours == Counter()
    assert {"users", "user_threepids"} <= {table for table, _ in rows_of_ours}
