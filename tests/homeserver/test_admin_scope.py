"""Power over the server takes an administrator *and* the admin scope in the token."""

import importlib
import inspect
import pkgutil
import re

import pytest
from synapse.http.servlet import RestServlet
from synapse.rest import admin as admin_api

from support.oauth import ADMIN, API, DEVICE, ISSUER_PATH, Browser, device_id
from support.tokens import inside

pytestmark = [pytest.mark.every_release, pytest.mark.one_database]

V3 = "/_matrix/client/v3"
USERS = "/_synapse/admin/v2/users"

# Synapse asks nobody who he is here, or for a secret of its own.
OPEN = {"/_synapse/admin/v1/register", "/_synapse/admin/v1/server_version"}
SAMPLES = {"room_id": "!room:localhost", "room_identifier": "!room:localhost", "medium": "email"}


@pytest.fixture
def client(server):
    return server.client()


@pytest.fixture
def admin(homeserver):
    return homeserver.new_user(admin=True)


def with_admin():
    return f"{API} {DEVICE}{device_id()} {ADMIN}"


def sign_in(client, user, scope=None):
    return client.sign_in(user.localpart, user.password, **({"scope": scope} if scope else {}))


def admin_routes():
    """Yield (method, sample path) for everything in Synapse's admin API."""
    names = [module.name for module in pkgutil.iter_modules(admin_api.__path__)]
    modules = [importlib.import_module(f"{admin_api.__name__}.{name}") for name in names]
    for module in (admin_api, *modules):
        for servlet in vars(module).values():
            if inspect.isclass(servlet) and issubclass(servlet, RestServlet):
                for pattern in getattr(servlet, "PATTERNS", None) or ():
                    for method in ("GET", "PUT", "POST", "DELETE"):
                        if hasattr(servlet, f"on_{method}"):
                            yield method, sample(pattern.pattern)


def sample(pattern):
    """Return a path that fits the pattern of a servlet."""
    path = pattern.strip("^$").replace("(/(?P<event_id>[^/]*))?", "/$event")
    path = path.replace("(api/v1|r0|v3|unstable)", "v3")
    return re.sub(
        r"\(\?P<(\w+)>[^)]*\)", lambda name: SAMPLES.get(name[1], "@somebody:localhost"), path
    )


def test_c113_an_administrators_token_without_the_scope_administers_nothing(server, client, admin):
    """403 on every route of the admin API, on the ones of releases to come too."""
    token = sign_in(client, admin)["access_token"]
    routes = sorted({route for route in admin_routes() if route[1] not in OPEN})

    opened = {
        route: answer.status_code
        for route in routes
        if (answer := server.api(*route, token, json={})).status_code != 403
    }

    assert len(routes) > 90
    assert opened == {}


def test_c113_a_stock_token_of_an_administrator_is_as_powerful_as_ever(homeserver, server, admin):
    token = homeserver.login(admin)["access_token"]

    assert server.api("GET", USERS, token).status_code == 200


@pytest.mark.parametrize(
    "request_",
    [
        ("GET", USERS, None),
        ("GET", "/_synapse/admin/v1/rooms", None),
        ("GET", f"{V3}/admin/whois/{{user_id}}", None),
        ("GET", "/_synapse/admin/v1/whois/{user_id}", None),
        ("PUT", f"{USERS}/{{user_id}}", {"displayname": "Renamed"}),
        ("PUT", f"{V3}/profile/{{user_id}}/displayname", {"displayname": "Renamed"}),
        ("POST", "/_synapse/admin/v1/users/{user_id}/login", {}),
    ],
)
def test_c113_with_the_scope_an_administrator_administers(
    homeserver, server, client, admin, request_
):
    """The same request with and without the scope."""
    method, path, body = request_
    path = path.format(user_id=homeserver.new_user().user_id)
    with_scope, without = sign_in(client, admin, with_admin()), sign_in(client, admin)

    allowed = server.api(method, path, with_scope["access_token"], json=body)
    refused = server.api(method, path, without["access_token"], json=body)

    assert allowed.status_code == 200, allowed.text
    assert refused.status_code in {400, 403}, refused.text


def test_c311_nobody_else_is_offered_the_scope(homeserver, server, client):
    """A page says that the account may not, and no code is given out."""
    user = homeserver.new_user()
    parameters, _ = client.request(scope=with_admin())
    browser = Browser(server)
    browser.authorize(parameters)

    page = browser.sign_in(user.localpart, user.password)

    assert page.status_code == 403
    assert "Location" not in page.headers
    assert "administrator" in page.text


def test_c311_the_consent_page_warns_of_it(server, client, admin):
    """The power over the server has a notice of its own; without the scope there is none."""
    pages = []
    for scope in (with_admin(), f"{API} {DEVICE}{device_id()}"):
        parameters, _ = client.request(scope=scope)
        browser = Browser(server)
        browser.authorize(parameters)
        pages.append(browser.sign_in(admin.localpart, admin.password).text)

    assert "It wants to administer" in pages[0]
    assert "administer" not in pages[1]


def test_c114_a_demoted_administrator_is_refused_at_once(homeserver, server, client, admin):
    """The flag counts at every request, whatever was granted once; a promotion gives it back."""
    tokens = sign_in(client, admin, with_admin())
    other = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    path = f"{USERS}/{admin.user_id}"
    before = server.api("GET", USERS, tokens["access_token"]).status_code

    server.api("PUT", path, other, json={"admin": False})
    demoted = server.api("GET", USERS, tokens["access_token"]).status_code
    ordinary = server.whoami(tokens["access_token"]).status_code
    server.api("PUT", path, other, json={"admin": True})
    promoted = server.api("GET", USERS, tokens["access_token"]).status_code

    assert (before, demoted, ordinary, promoted) == (200, 403, 200, 200)


def test_c114_between_consent_and_code_too(homeserver, server, client, admin):
    """Demoted while the code is on its way: the token opens no admin API and does not say so."""
    parameters, verifier = client.request(scope=with_admin())
    code = Browser(server).let_in(parameters, admin.localpart, admin.password)["code"]
    other = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    server.api("PUT", f"{USERS}/{admin.user_id}", other, json={"admin": False})

    tokens = client.redeem(code, verifier).json()

    assert ADMIN not in tokens["scope"].split()
    assert server.api("GET", USERS, tokens["access_token"]).status_code == 403
    assert server.whoami(tokens["access_token"]).status_code == 200


def test_c311_c313_every_refresh_tells_what_is_in_force(homeserver, server, client, admin):
    """The scope in the answer is what is enforced: without the flag the admin scope is missing."""
    tokens = sign_in(client, admin, with_admin())
    other = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    path = f"{USERS}/{admin.user_id}"

    server.api("PUT", path, other, json={"admin": False})
    demoted = client.refresh(tokens["refresh_token"]).json()
    server.api("PUT", path, other, json={"admin": True})
    promoted = client.refresh(demoted["refresh_token"]).json()

    assert tokens["scope"].split()[-1] == ADMIN
    assert demoted["scope"] == tokens["scope"].removesuffix(f" {ADMIN}")
    assert promoted["scope"] == tokens["scope"]


def test_c341_administrators_are_never_shown_a_token(homeserver, server, client, admin):
    """What the admin API tells of an account holds no bearer value, and nothing made from one."""
    user = homeserver.new_user()
    tokens = sign_in(client, user)
    server.whoami(tokens["access_token"])
    admins = sign_in(client, admin, with_admin())["access_token"]

    paths = (f"{USERS}/{user.user_id}", f"/_synapse/admin/v1/whois/{user.user_id}")
    paths += (f"{USERS}/{user.user_id}/devices", f"/_synapse/admin/v1/users/{user.user_id}/pushers")
    shown = "".join(server.api("GET", path, admins).text for path in paths)

    assert user.user_id in shown
    for secret in (tokens["access_token"], tokens["refresh_token"]):
        assert secret not in shown
        assert inside(secret).session_id not in shown
    assert "nextgen_session_" not in shown


def test_an_administrator_who_logs_somebody_in_ends_no_session(homeserver, server, client, admin):
    """Synapse's "login as a user" makes a token without a device; the person notices nothing."""
    user = homeserver.new_user()
    tokens = sign_in(client, user)
    token = sign_in(client, admin, with_admin())["access_token"]

    answer = server.api("POST", f"/_synapse/admin/v1/users/{user.user_id}/login", token, json={})

    assert server.whoami(answer.json()["access_token"]).json()["user_id"] == user.user_id
    assert server.whoami(tokens["access_token"]).status_code == 200


def test_c313_introspection_tells_what_is_in_force(homeserver, server, admin):
    """Nobody who asks about a token is told of a power that its account has lost."""
    client = server.client(
        {
            "client_name": "Admin tool",
            "client_uri": "https://tool.example.com/",
            "redirect_uris": ["https://tool.example.com/callback"],
            "token_endpoint_auth_method": "client_secret_post",
        }
    )
    secret = client.registered["client_secret"]
    parameters, verifier = client.request(scope=with_admin())
    code = Browser(server).let_in(parameters, admin.localpart, admin.password)["code"]
    tokens = client.redeem(code, verifier, client_secret=secret).json()
    other = homeserver.login(homeserver.new_user(admin=True))["access_token"]

    told = []
    for is_admin in (True, False):
        server.api("PUT", f"{USERS}/{admin.user_id}", other, json={"admin": is_admin})
        form = {"token": tokens["access_token"], "client_id": client.id, "client_secret": secret}
        told.append(server.post("introspect", form).json()["scope"].split())

    assert ADMIN in told[0]
    assert ADMIN not in told[1]
    assert set(told[0]) - set(told[1]) == {ADMIN}
    assert server.url("introspect").endswith(f"{ISSUER_PATH}introspect")
