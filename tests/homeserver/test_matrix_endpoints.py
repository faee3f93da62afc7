"""What a token of ours may do at the endpoints that decide about accounts and tokens (C117).

The table is docs/reference/matrix-endpoints.md: every row is sent to the main process and to a worker.
"""

import ast
import inspect
import re
from pathlib import Path

import attrs
import pytest
import requests
import synapse
from synapse.rest import admin
from synapse.rest.client import account, auth, devices, login, logout, register

from support.keys import master_key
from support.markdown import DOCS, rows, section
from support.oauth import ADMIN, API, DEVICE, Browser, Server, device_id
from support.synapse import User
from synapse_nextgen_auth.homeserver.startup import versions

PAGE = DOCS / "reference" / "matrix-endpoints.md"
HEADINGS = ("Account", "Devices and keys", "Other ways in", "Administration")
TABLE = [
    (*re.fullmatch(r"`(\w+) (\S+)`", row[0]).groups(), *row[1:3])
    for heading in HEADINGS
    for row in rows(section(PAGE, heading))
]
OLD = versions.RELEASE < (1, 153)
V3 = "/_matrix/client/v3"
PROOF = {"client_secret": "a-secret", "sid": "1"}
EMAIL = {"medium": "email", "address": "somebody@example.com"}
# What is sent where an empty object would be refused for what it lacks.
BODIES = {
    "/account/3pid": {"three_pid_creds": PROOF},
    "/account/3pid/add": PROOF,
    "/account/3pid/delete": EMAIL,
    "/account/3pid/bind": {**PROOF, "id_server": "id.example.com", "id_access_token": "x"},
    "/account/3pid/unbind": EMAIL,
    "/account/password": {"new_password": "another-horse"},
    "/delete_devices": {"devices": ["DEVICE"]},
    "/devices/DEVICE": {"display_name": "Renamed"},
    "/pushers/set": {"kind": None, "app_id": "app", "pushkey": "key"},
    "/register": {"auth": {"type": "m.login.dummy"}},
    "/refresh": {"refresh_token": "x"},
    "/login": {"type": "m.login.password", "password": "x"},
}


@attrs.define
class Bench:
    """Main process and worker, an administrator, and tokens of hers and of somebody else."""

    main: Server
    worker: Server
    user: User
    other: User
    stock: User
    legacy: dict
    device: str = ""
    tokens: dict = attrs.field(factory=dict)

    def sign_in(self):
        """Begin sessions: the administrator's with and without the scope, and somebody else's."""
        client = self.main.client()
        _, self.tokens["admin"] = sign_in(client, self.user, ADMIN)
        self.device, self.tokens["chat"] = sign_in(client, self.user)
        _, self.tokens["other"] = sign_in(client, self.other)

    def ask(self, at, method, path, token, **options):
        options.setdefault("json", self.body(path))
        for word, value in (
            ("USER", self.user.user_id),
            ("OTHER", self.other.user_id),
            ("DEVICE", self.device),
        ):
            path = path.replace(word, value)
        if token is None:
            return requests.request(method, at.base_url.rstrip("/") + path, timeout=30, **options)
        return at.api(method, path, token, **options)

    def body(self, path):
        return BODIES.get(path.partition("/v3")[2], {})

    @property
    def account_page(self):
        return self.main.url("account")


def sign_in(client, user, scope=""):
    device = device_id()
    scope = f"{API} {DEVICE}{device} {scope}".strip()
    return device, client.sign_in(user.localpart, user.password, scope=scope)["access_token"]


@pytest.fixture(scope="module")
def bench(homeserver_with_worker):
    homeserver = homeserver_with_worker
    main = Server(homeserver.base_url)
    worker = Server(homeserver.workers["worker1"].base_url)
    user, other = homeserver.new_user(admin=True), homeserver.new_user()
    stock = homeserver.new_user()
    legacy = homeserver.login(stock)
    bench = Bench(main, worker, user, other, stock, legacy)
    bench.sign_in()
    keys = master_key(user.user_id)
    main.api("POST", f"{V3}/keys/device_signing/upload", bench.tokens["chat"], json=keys)
    return bench


def refused(bench, at, method, path):
    answer = bench.ask(at, method, path, bench.tokens["chat"])

    assert (answer.status_code, answer.json()["errcode"]) == (403, "M_FORBIDDEN"), answer.text
    assert f"Do that at {bench.account_page}." in answer.json()["error"]
    assert "WWW-Authenticate" not in answer.headers, "no scope would help"


def in_the_browser(bench, at, method, path):
    is_reset = path.endswith("/device_signing/upload")
    options = {"json": master_key(bench.user.user_id)} if is_reset else {}
    # What it gives out has admin power, too.
    token = bench.tokens["admin" if path.endswith("/get_token") else "chat"]
    answer = bench.ask(at, method, path, token, **options)

    if path.endswith("/3pid/add"):  # of which the address is not confirmed
        assert (answer.status_code, answer.json()["errcode"]) == (400, "M_THREEPID_AUTH_FAILED")
        return
    assert answer.status_code == 401, answer.text
    stage = "m.oauth" if is_reset else "m.login.sso"
    assert {"stages": [stage]} in answer.json()["flows"]
    assert answer.json()["params"][stage]["url"].startswith(bench.main.url("approve?"))


def allowed(bench, at, method, path):
    """Whatever else is wrong with the sample, the token is right: a stock one hears the same."""
    answer = bench.ask(at, method, path, bench.tokens["chat"])
    its_own = {"USER": bench.stock.user_id, "DEVICE": bench.legacy["device_id"]}
    for word, value in its_own.items():
        path = path.replace(word, value)
    stock = bench.ask(at, method, path, bench.legacy["access_token"])

    assert answer.status_code not in {401, 403}, answer.text
    assert answer.status_code == stock.status_code, (answer.text, stock.text)
    assert bench.account_page not in answer.text


def nothing(bench, at, method, path):
    """No token, and one that an administrator may use for everything: both change nothing."""
    without = bench.ask(at, method, path, None)
    answer = bench.ask(at, method, path, bench.tokens["admin"])

    assert without.json().get("errcode") != "M_MISSING_TOKEN" if is_json(without) else True
    if path.endswith("/register") and method == "POST":
        assert answer.status_code == 400, "Synapse wants no token there"
    else:
        assert answer.status_code == without.status_code, answer.text
    assert "access_token" not in answer.text


def admin_scope(bench, at, method, path):
    chat = bench.ask(at, method, path, bench.tokens["chat"])
    other = bench.ask(at, method, path.replace("OTHER", "USER"), bench.tokens["other"])
    with_scope = bench.ask(at, method, path, bench.tokens["admin"])

    assert (chat.status_code, chat.json()["errcode"]) == (403, "M_FORBIDDEN")
    assert chat.json()["error"] == f"This session was not granted {ADMIN}"
    challenge = f'Bearer error="insufficient_scope", scope="{ADMIN}"'
    assert chat.headers["WWW-Authenticate"] == challenge
    assert (other.status_code, other.json()["error"]) == (403, "You are not a server admin")
    assert "WWW-Authenticate" not in other.headers
    assert with_scope.status_code != 403, with_scope.text


OUTCOMES = {
    "refused": refused,
    "in the browser": in_the_browser,
    "allowed": allowed,
    "nothing": nothing,
    "admin scope": admin_scope,
}


def is_json(answer):
    return answer.headers.get("Content-Type", "").startswith("application/json")


def _only_on_main(bench, method, path):
    """Say whether this is one of the endpoints that workers got only in newer releases."""
    answer = bench.ask(bench.worker, method, path, bench.legacy["access_token"])
    return OLD and "/admin/" in path and answer.status_code == 404


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]} {row[1]}")
def test_c117_c363_every_row_of_the_table_holds(homeserver_with_worker, bench, row):
    """On the main process, and on a worker: the same answer, or no such endpoint."""
    method, path, where, outcome = row

    OUTCOMES[outcome](bench, bench.main, method, path)
    if path.endswith(("/logout", "/logout/all")):
        bench.legacy = homeserver_with_worker.login(bench.stock)
        bench.sign_in()
    if where == "everywhere" and not _only_on_main(bench, method, path):
        OUTCOMES[outcome](bench, bench.worker, method, path)
    else:
        answer = bench.ask(bench.worker, method, path, bench.tokens["chat"])
        assert where == "main" or OLD
        assert answer.status_code in {404, 405}, answer.text


@pytest.mark.parametrize("release", ["r0", "v3", "unstable"])
def test_c117_an_administrators_chat_token_does_not_become_the_account(bench, release):
    """Neither by an address of one's own nor by taking the owner's away, under whatever name."""
    for at in (bench.main, bench.worker):
        path = f"/_matrix/client/{release}/account/3pid"
        added = bench.ask(at, "POST", path, bench.tokens["chat"], json={"threePidCreds": PROOF})
        removed = bench.ask(bench.main, "POST", f"{path}/delete", bench.tokens["chat"], json=EMAIL)

        for answer in (added, removed):
            assert answer.status_code == 403, answer.text
            assert f"Do that at {bench.account_page}." in answer.json()["error"]


def test_c117_a_stock_token_gets_what_synapse_says(homeserver_with_worker, bench):
    """The module takes nothing away from it."""
    token = homeserver_with_worker.login(bench.user)["access_token"]
    told = [
        bench.ask(at, "POST", f"{V3}/account/3pid", token).json()["errcode"]
        for at in (bench.main, bench.worker)
    ]
    removed = bench.ask(bench.main, "POST", f"{V3}/account/3pid/delete", token)

    assert told == ["M_THREEPID_AUTH_FAILED"] * 2
    assert removed.status_code == 200


def test_c117_a_dead_token_is_told_no_more_than_elsewhere(bench):
    _, token = sign_in(bench.main.client(), bench.user)
    bench.main.revoke(token=token)

    dehydrated = "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device"
    body = {"device_id": "SOMEDEVICE", "device_data": {"algorithm": "x"}}
    body["initial_device_display_name"] = "x"
    for method, path in (
        *(("POST", V3 + name) for name in ("/account/3pid", "/account/3pid/delete")),
        *(("POST", f"{V3}/pushers/set"), ("PUT", dehydrated), ("GET", f"{V3}/capabilities")),
    ):
        options = {"json": body} if path == dehydrated else {}
        answer = bench.ask(bench.main, method, path, token, **options)
        assert (answer.status_code, answer.json()["errcode"]) == (401, "M_UNKNOWN_TOKEN")
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_c117_c307_nobody_dehydrates_a_device_that_is_signed_in(homeserver_with_worker, bench):
    """It would lose its keys, and then go without anybody having approved that."""
    path = "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device"
    victim = homeserver_with_worker.login(bench.user)["device_id"]

    def put(at, device):
        keys = {
            "user_id": bench.user.user_id,
            "device_id": device,
            "algorithms": [],
            "keys": {f"ed25519:{device}": "A" * 43},
            "signatures": {},
        }
        body = {
            "device_id": device,
            "device_data": {"algorithm": "m.x"},
            "device_keys": keys,
            "initial_device_display_name": "Dehydrated",
        }
        return bench.ask(at, "PUT", path, bench.tokens["chat"], json=body)

    for at in (bench.main, bench.worker):
        for device in (victim, bench.device):
            assert put(at, device).status_code == 403
    fresh = put(bench.main, "DEHYDRATED1")
    again = put(bench.main, "DEHYDRATED1")

    assert fresh.status_code == again.status_code == 200, fresh.text + again.text


def test_no_token_of_ours_becomes_another_device(sqlite_homeserver):
    """MSC2697, which old releases serve: the token is in no row, and what was dehydrated would go."""
    server, user = Server(sqlite_homeserver.base_url), sqlite_homeserver.new_user()
    _, token = sign_in(server.client(), user)
    path = "/_matrix/client/unstable/org.matrix.msc2697.v2/dehydrated_device"
    server.api("PUT", path, token, json={"device_data": {"algorithm": "m.x", "account": "x"}})
    kept = server.api("GET", path, token)

    device = kept.json().get("device_id", "NONE")
    claimed = server.api("POST", f"{path}/claim", token, json={"device_id": device})

    assert claimed.status_code == (403 if kept.ok else 404), claimed.text
    assert server.api("GET", path, token).json() == kept.json()


def test_what_a_token_may_do_is_what_it_is_told(homeserver_with_worker, bench):
    """`/capabilities`: what our pages do is false, and nothing else differs from a stock token's.

    A login token has all of the account's power, which this one of an administrator has not.
    """
    legacy = homeserver_with_worker.login(bench.user)["access_token"]
    closed = {"m.change_password", "m.3pid_changes", "m.get_login_token"}
    enabled = {
        whose: bench.ask(bench.main, "GET", f"{V3}/capabilities", bench.tokens[whose]).json()
        for whose in ("admin", "other")
    }
    assert {told["capabilities"]["m.get_login_token"]["enabled"] for told in enabled.values()} == {
        True
    }
    for at in (bench.main, bench.worker):
        told = [
            bench.ask(at, "GET", f"{V3}/capabilities", token).json()["capabilities"]
            for token in (legacy, bench.tokens["chat"])
        ]

        assert {name: told[0][name]["enabled"] for name in closed} == dict.fromkeys(closed, True)
        assert told[1] == told[0] | {name: {"enabled": False} for name in closed}


def test_c334_a_login_token_takes_an_approval_and_all_of_the_power(homeserver_with_worker, bench):
    """Of an administrator the admin scope; the page says what it gives out; it is given out once."""
    path = "/_matrix/client/v1/login/get_token"
    refused_ = bench.ask(bench.main, "POST", path, bench.tokens["chat"], json={})
    asked = bench.ask(bench.main, "POST", path, bench.tokens["other"], json={})
    browser = Browser(bench.main)

    browser.get(asked.json()["params"]["m.login.sso"]["url"])
    page = browser.sign_in(bench.other.localpart, bench.other.password)
    browser.submit(decision="approve")
    given = bench.ask(bench.main, "POST", path, bench.tokens["other"], json={})
    again = bench.ask(bench.main, "POST", path, bench.tokens["other"], json={})
    signed_in = requests.post(
        f"{bench.main.base_url.rstrip('/')}{V3}/login",
        json={"type": "m.login.token", "token": given.json()["login_token"]},
        timeout=30,
    )

    assert (refused_.status_code, refused_.json()["errcode"]) == (403, "M_FORBIDDEN")
    assert "Sign in another device?" in page.text
    assert "with full access to your account" in page.text
    assert given.status_code == 200, given.text
    assert again.status_code == 429, "Synapse allows one a minute, and nobody is asked in vain"
    assert signed_in.json()["user_id"] == bench.other.user_id


def test_c334_a_login_token_ends_with_the_session_that_asked_for_it(homeserver_with_worker, bench):
    """Whoever signs out on the way has not left a way in behind."""
    path, user = "/_matrix/client/v1/login/get_token", homeserver_with_worker.new_user()
    _, token = sign_in(bench.main.client(), user)
    challenge = bench.ask(bench.main, "POST", path, token, json={}).json()
    browser = Browser(bench.main)
    browser.get(challenge["params"]["m.login.sso"]["url"])
    browser.sign_in(user.localpart, user.password)
    browser.submit(decision="approve")
    given = bench.ask(bench.main, "POST", path, token, json={})
    out = bench.ask(bench.main, "POST", f"{V3}/logout", token, json={})
    late = requests.post(
        f"{bench.main.base_url.rstrip('/')}{V3}/login",
        json={"type": "m.login.token", "token": given.json()["login_token"]},
        timeout=30,
    )

    assert (given.status_code, out.status_code) == (200, 200)
    assert (late.status_code, late.json()["errcode"]) == (403, "M_FORBIDDEN")


# The table against Synapse's source


def _taken_away_in(module):
    """Yield the servlets that a module registers only if sign-in is not delegated."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "not auth_delegated":
            for call in (c for part in node.body for c in ast.walk(part)):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
                    yield getattr(module, call.func.id)


TAKEN_AWAY = [
    *(servlet for module in (account, devices, admin) for servlet in _taken_away_in(module)),
    # These modules return before they register anything, or refuse within.
    *(login.LoginRestServlet, logout.LogoutRestServlet, logout.LogoutAllRestServlet),
    *(register.RegisterRestServlet, auth.AuthRestServlet, account.ThreepidRestServlet),
]


@pytest.mark.parametrize("servlet", TAKEN_AWAY, ids=lambda servlet: servlet.__name__)
def test_c117_whatever_synapse_takes_away_is_in_the_table(servlet):
    """Each method of each servlet that there is not when another service signs people in."""
    paths = {}
    for method, path, *_ in TABLE:
        paths.setdefault(method, []).append(path)

    for method in ("GET", "POST", "PUT", "DELETE"):
        if hasattr(servlet, f"on_{method}") and not _is_of_stock_admin(servlet, method):
            known = [
                path
                for path in paths.get(method, ())
                for pattern in servlet.PATTERNS
                if pattern.match(path)
            ]
            assert known, (servlet, method)


def _is_of_stock_admin(servlet, method):
    """Say whether one row stands for all methods: the admin API has one rule."""
    return servlet.PATTERNS[0].pattern.startswith("^/_synapse/admin") and not any(
        row[0] == method and servlet.PATTERNS[0].match(row[1]) for row in TABLE
    )


# Where Synapse asks, and what each of these decides was looked at for the table.
LOOKED_AT = {
    *(f"rest/client/{name}.py" for name in ("account", "auth", "auth_metadata", "devices", "keys")),
    *(f"rest/client/{name}.py" for name in ("login", "logout", "register")),
    *("rest/admin/__init__.py", "rest/admin/users.py", "rest/synapse/client/__init__.py"),
    *("rest/well_known.py", "handlers/auth.py", "module_api/__init__.py", "server.py"),
    *("storage/databases/main/appservice.py", "rest/synapse/mas/_base.py"),
}


def test_c117_nobody_asks_elsewhere_whether_sign_in_is_delegated():
    """A new Synapse that takes away more is noticed here."""
    root = Path(synapse.__file__).parent
    asking = {
        str(file.relative_to(root))
        for file in root.rglob("*.py")
        if re.search(r"\bmas\.enabled\b", file.read_text("utf-8"))
    }

    assert asking <= LOOKED_AT
