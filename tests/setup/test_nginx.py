"""The blocks for nginx that the setup pages show, in a real nginx in front of real processes."""

import re
from io import BytesIO

import pytest
import requests
from PIL import Image

from support.markdown import DOCS, blocks
from support.nginx import Nginx, program
from support.oauth import Browser, Server, claims, web_client
from support.ports import free_port
from support.raw_http import is_listening
from support.synapse import Homeserver
from synapse_nextgen_auth.cli import loopback
from synapse_nextgen_auth.homeserver.people.profiles import LARGEST
from synapse_nextgen_auth.oauth.metadata import PREFIX

# What https://element-hq.github.io/synapse/latest/reverse_proxy.html asks for.
SYNAPSE = """
location ~ ^(/_matrix|/_synapse/client) {
    proxy_pass http://localhost:8008;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header Host $host:$server_port;
    client_max_body_size 50M;
    proxy_http_version 1.1;
}
"""
LIMIT, WELL_KNOWN = blocks(DOCS / "setup" / "reverse-proxy.md", "nginx")
(WORKERS,) = blocks(DOCS / "setup" / "workers.md", "nginx")
METADATA = "/_matrix/client/v1/auth_metadata"


@pytest.fixture(scope="module")
def nginx(tmp_path_factory):
    """Yield an nginx at the address that is public; each test gives it its blocks."""
    if program() is None:
        pytest.skip("no nginx: install the package nginx-light")
    addresses = loopback.addresses()
    directory = tmp_path_factory.mktemp("nginx")
    server = Nginx(directory, free_port(addresses), addresses)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def homeserver(nginx, tmp_path_factory, make_database, redis_server):
    """Yield a homeserver behind that nginx: main process and one worker."""
    directory = tmp_path_factory.mktemp("homeserver")
    homeserver = Homeserver(directory, make_database("postgres", directory), redis=redis_server)
    listener = homeserver.settings()["listeners"][0] | {"x_forwarded": True}
    replication = homeserver.settings()["listeners"][1:]
    homeserver.config = {
        "public_baseurl": f"https://localhost:{nginx.port}/",
        "listeners": [listener, *replication],
        "serve_server_wellknown": True,
    }
    try:
        homeserver.start()
        resources = [{"names": ["client"]}]
        port = free_port(loopback.addresses())
        worker = {**listener, "port": port, "resources": resources}
        process = homeserver.new_worker("worker1", worker_listeners=[worker])
        process.port = port
        process.start()
        homeserver.workers["worker1"] = process
        yield homeserver
    finally:
        homeserver.stop()


@pytest.fixture
def serve(nginx, homeserver, monkeypatch):
    """Return a function that gives nginx these blocks, with the ports of the real processes."""
    worker = homeserver.workers["worker1"]
    nobody = free_port(loopback.addresses())
    ports = {"8008": homeserver.main.port, "8083": worker.port, "8084": nobody}

    def start(*texts, **others):
        real = {**ports, **others}
        moved = [
            re.sub(r"\blocalhost:(\d+)", lambda at: f"localhost:{real[at[1]]}", one)
            for one in texts
        ]
        nginx.serve(*moved)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(nginx.certificate))
        return Server(f"https://localhost:{nginx.port}")

    return start


def _upstream_ports(nginx, path, count):
    """Return the ports that requests for a path went to in the end."""
    upstreams = [line[3] for line in nginx.told(count) if line[1] == path]
    return [upstream.rpartition(":")[2] for upstream in upstreams]


def _register(server, size=0):
    """Register a client whose document has some more bytes; return nginx's or our answer."""
    return server.register({**web_client(), "padding": "x" * size})


LARGE = 70_000  # bytes: more than the block lets through
UPLOAD = "/_matrix/media/v3/upload"
PICTURE = "account-avatar"


@pytest.mark.parametrize("order", [(LIMIT, SYNAPSE), (SYNAPSE, LIMIT)], ids=["above", "below"])
def test_the_limit_for_requests_holds_beside_synapses_location(serve, nginx, homeserver, order):
    """Above or below, large requests of ours end in nginx, and media goes through as ever."""
    server = serve(*order)
    token = homeserver.login(homeserver.new_user())["access_token"]

    small, large = _register(server), _register(server, LARGE)
    media = server.api("POST", UPLOAD, token, data=b"x" * 2_000_000)
    told = {(path, status): upstream for _, path, status, upstream in nginx.told(3)}

    assert small.status_code == 201
    assert large.status_code == 413
    assert told[f"{PREFIX}/clients/register", "413"] == "-", "it went on to Synapse"
    assert media.status_code == 200


@pytest.fixture
def person(homeserver):
    """Return a function that gives a browser whose account waits for a picture."""

    def signed_in(server):
        browser = Browser.of(server, homeserver.new_user())
        page = browser.get(server.url("account-profile")).text
        browser.http.headers["X-Csrf"] = re.search(r'data-csrf="([^"]+)"', page)[1]
        return browser

    return signed_in


def _choose(browser, size):
    """Send a picture of so many bytes, as the script of the page does; return nginx's or our answer."""
    picture = BytesIO()
    Image.new("RGB", (40, 30), "purple").save(picture, "PNG")
    return browser.http.post(
        browser.server.url(PICTURE),
        data=picture.getvalue().ljust(size, b"\0"),
        headers={"Content-Type": "image/png"},
        timeout=60,
    )


@pytest.mark.parametrize("order", [(LIMIT, SYNAPSE), (WORKERS, SYNAPSE)], ids=["limit", "workers"])
def test_the_picture_of_an_account_goes_through(serve, nginx, homeserver, person, order):
    """As large as the page says, to the process with the media; a form beside it is as small as ever."""
    server = serve(*order)
    browser = person(server)
    sent = _choose(browser, LARGEST)
    seen = browser.http.get(server.url(PICTURE), timeout=30)
    upstreams = {line[3] for line in nginx.told(of=f"{PREFIX}/{PICTURE}") if PICTURE in line[1]}
    too_large = _choose(browser, LARGEST + 1)

    assert sent.status_code == 200, sent.text
    assert seen.headers["Content-Type"] == "image/png"
    assert {each.rpartition(":")[2] for each in upstreams} == {str(homeserver.main.port)}
    assert too_large.status_code == 413


def test_without_the_two_characters_the_block_has_no_effect(serve, nginx, homeserver):
    """The page says why they matter: this is what happens without them."""
    server = serve(LIMIT.replace("^~ ", ""), SYNAPSE)
    large = _register(server, LARGE)
    _, _, _, upstream = nginx.told()[0]

    assert large.status_code == 413  # ours, from behind the proxy
    assert upstream.endswith(f":{homeserver.main.port}")


def test_people_sign_in_through_a_proxy_as_documented(serve, homeserver):
    """A whole sign-in over TLS, which ends at nginx; an address that a client makes up is dropped."""
    server, user = serve(LIMIT, WELL_KNOWN, SYNAPSE), homeserver.new_user()
    browser = Browser(server)
    browser.http.headers["X-Forwarded-For"] = "192.0.2.66"
    client = server.client()
    scope = client.request()[0]["scope"]
    tokens = client.sign_in(user.localpart, user.password, browser=browser, scope=f"openid {scope}")
    again = client.refresh(tokens["refresh_token"]).json()
    addresses = homeserver.query(
        "SELECT DISTINCT address FROM nextgen_events WHERE user_id = ?", user.user_id
    )

    assert server.whoami(again["access_token"]).json()["user_id"] == user.user_id
    assert claims(tokens["id_token"])["iss"] == server.issuer
    assert addresses != []
    assert {address for (address,) in addresses} <= {"127.0.0.1", "::1"}


def test_other_applications_find_the_description_at_the_root(serve):
    """With the last block of the page RFC 8414's place is served, and without it nothing is."""
    places = [
        f"/.well-known/{name}{PREFIX}"
        for name in ("oauth-authorization-server", "openid-configuration")
    ]
    server = serve(SYNAPSE)
    without = [requests.get(server.base_url + place, timeout=30).status_code for place in places]
    server = serve(SYNAPSE, WELL_KNOWN)
    found = [requests.get(server.base_url + place, timeout=30) for place in places]

    assert without == [404, 404]
    assert [answer.json()["issuer"] for answer in found] == [server.issuer] * 2


def test_the_workers_block_sends_the_module_to_workers_and_the_rest_to_main(
    serve, nginx, homeserver
):
    """Above Synapse's location it takes endpoints, pages and discovery along, and nothing else.

    One of the two workers of the block is away here: its requests go to the other.
    """
    server, user = serve(WORKERS, SYNAPSE), homeserver.new_user()
    main, worker = str(homeserver.main.port), str(homeserver.workers["worker1"].port)
    server.metadata()
    tokens = server.client().sign_in(user.localpart, user.password)
    whoami = server.whoami(tokens["access_token"])
    told = nginx.told(of="/_matrix/client/v3/account/whoami")
    ports = {path: upstream.rpartition(":")[2] for _, path, _, upstream in told}

    assert whoami.json()["user_id"] == user.user_id
    assert ports[METADATA] == worker
    ours = [path for path in ports if path.startswith(PREFIX)]
    assert {f"{PREFIX}/{end}" for end in ("authorize", "sign-in", "consent", "token")} <= set(ours)
    assert {ports[path] for path in ours} == {worker}
    assert ports["/_matrix/client/v3/account/whoami"] == main


def test_below_synapses_location_the_workers_block_has_no_effect(serve, nginx, homeserver):
    """The page says where it must stand: this is what happens elsewhere."""
    server = serve(SYNAPSE, WORKERS)
    server.metadata()

    assert _upstream_ports(nginx, METADATA, 1) == [str(homeserver.main.port)]


def test_the_limit_in_a_block_of_its_own_takes_the_paths_from_the_workers(serve, nginx, homeserver):
    """The page says to put the limit into the workers' block instead, and there it holds."""
    main, worker = str(homeserver.main.port), str(homeserver.workers["worker1"].port)
    path = f"{PREFIX}/clients/register"
    _register(serve(LIMIT, WORKERS, SYNAPSE))
    beside = _upstream_ports(nginx, path, 1)
    passes = "    proxy_pass http://generic_workers;"
    inside = WORKERS.replace(passes, f"    client_max_body_size 64k;\n{passes}")
    server = serve(inside, SYNAPSE)
    small, large = _register(server), _register(server, LARGE)

    assert beside == [main]
    assert (small.status_code, large.status_code) == (201, 413)
    assert _upstream_ports(nginx, path, 2) == [worker, "-"]


@pytest.mark.parametrize("block", [LIMIT, WELL_KNOWN, WORKERS], ids=["limit", "root", "workers"])
@pytest.mark.parametrize(
    "line",
    [
        "proxy_set_header X-Forwarded-For $remote_addr;",
        "proxy_set_header X-Forwarded-Proto $scheme;",
        "proxy_set_header Host $host:$server_port;",
        "proxy_http_version 1.1;",
    ],
)
def test_each_block_has_what_synapse_asks_a_proxy_for(block, line):
    """A block that is pasted lacks nothing that Synapse's own has."""
    assert f"\n    {line}\n" in block
    assert f"\n    {line}\n" in SYNAPSE


def test_nginx_is_gone_when_it_is_stopped(nginx):
    """What the other tests start does not stay behind."""
    nginx.serve(SYNAPSE)
    nginx.stop()

    assert not is_listening("127.0.0.1", nginx.port)
