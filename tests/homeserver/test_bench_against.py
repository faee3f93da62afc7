"""The bench that compares with any other server: what it takes, what it sends, what it leaves behind."""

import json
import sys
from collections import Counter
from pathlib import Path

import attrs
import pytest

from support.oauth import Server

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT))  # the benchmarks are no part of what is installed

from bench import against, sides, wire  # noqa: E402
from bench.servers import Pair  # noqa: E402

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]
TOLD = {"address": "http://127.0.0.1:8008", "token": "syt_of_theirs"}
ACTS = 8


@attrs.frozen
class Scene:
    """What the benchmarks stand on, with a homeserver of the tests."""

    homeserver: object
    quick: bool = True

    def our_pairs(self, user, count):
        client = Server(self.homeserver.base_url).client()
        made = [client.sign_in(user.localpart, user.password) for _ in range(count)]
        return [Pair(each["access_token"], each["refresh_token"], client.id) for each in made]


@pytest.fixture
def file(tmp_path):
    """Return a function that writes what is known of another server."""

    def write(**changes):
        path = tmp_path / "other.json"
        path.write_text(json.dumps(TOLD | changes))
        return path

    return write


@pytest.fixture
def sent(monkeypatch):
    """Count what is sent, by its first line and the host it is for."""
    counted = Counter()
    answer = wire.Line.answer

    def noting(line, request, **options):
        first, second = request.decode().split("\r\n")[:2]
        counted[first.removesuffix(" HTTP/1.1"), second.removeprefix("Host: ")] += 1
        return answer(line, request, **options)

    monkeypatch.setattr(wire.Line, "answer", noting)
    monkeypatch.setattr(against, "QUICK", ACTS)
    return counted


def ends(figures):
    return {figure.name: figure.value for figure in figures}


def test_another_server_is_known_by_its_address_and_a_token(homeserver, user, file, sent):
    """At one connection and at eight; no more is sent than was told before."""
    token = homeserver.login(user)["access_token"]
    host = f"localhost:{homeserver.main.port}"
    other = against.Other.read(file(address=f"http://{host}/", token=token))

    found = ends(against.measure(Scene(homeserver), other))

    assert set(found) == {"warm /whoami, 1 at once", "warm /whoami, 8 at once"}
    assert all(ratio > 0 for ratio in found.values())
    most = int(against.told(other, quick=True).split()[2])
    assert 8 * ACTS < sent["GET /_matrix/client/v3/account/whoami", host] <= most


def test_it_refreshes_at_a_token_endpoint_and_keeps_what_is_good(homeserver, user, file, sent):
    """Each refresh token is a client of its own; the file has what can be used the next time."""
    client = Server(homeserver.base_url).client()
    first, second = (client.sign_in(user.localpart, user.password) for _ in range(2))
    host = f"localhost:{homeserver.main.port}"
    endpoint = f"http://{host}/_synapse/client/auth/token"
    path = file(
        address=f"http://{host}",
        token=homeserver.login(user)["access_token"],
        refresh_tokens=[first["refresh_token"], second["refresh_token"]],
        token_endpoint=endpoint,
        client_id=client.id,
    )

    found = ends(against.measure(Scene(homeserver), against.Other.read(path)))

    assert found["refresh and first use, 2 at once"] > 0
    most = int(against.told(against.Other.read(path), quick=True).splitlines()[1].split()[2])
    assert 0 < sent["POST /_synapse/client/auth/token", host] <= most
    written = json.loads(path.read_text())
    assert written["client_id"] == client.id
    for before, now in zip((first, second), written["refresh_tokens"], strict=True):
        assert now != before["refresh_token"]
        assert client.refresh(now).status_code == 200


def test_without_an_endpoint_it_refreshes_as_matrix_does(homeserver, user, file, sent):
    answer = homeserver.login(user, refresh_token=True)
    host = f"localhost:{homeserver.main.port}"
    path = file(
        address=f"http://{host}",
        token=homeserver.login(user)["access_token"],
        refresh_tokens=[answer["refresh_token"]],
    )

    found = ends(against.measure(Scene(homeserver), against.Other.read(path)))

    assert found["refresh and first use, 1 at once"] > 0
    assert sent["POST /_matrix/client/v3/refresh", host] > 5 * ACTS


def test_a_token_that_is_none_ends_it_and_is_not_shown(homeserver, file, sent):
    """What the other server said is: it may be a limit, too."""
    address = f"http://localhost:{homeserver.main.port}"
    other = against.Other.read(file(address=address, token="syt_a-secret-that-is-none"))

    with pytest.raises(against.Wrong, match="Stopped: GET ") as stopped:
        list(against.measure(Scene(homeserver), other))
    assert " was answered with 401 Unauthorized (M_UNKNOWN_TOKEN, " in str(stopped.value)
    assert "\n" not in str(stopped.value)
    assert "a-secret-that-is-none" not in str(stopped.value)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"address": None}, "address is no address"),
        ({"address": "ftp://127.0.0.1"}, "address is no address"),
        ({"address": "http://127.0.0.1:port"}, "address is no address"),
        ({"address": "http://127.0.0.1/below"}, "address must have no path"),
        ({"address": "http://somebody@127.0.0.1"}, "no user"),
        ({"token": ""}, "token is missing"),
        ({"token": "two\r\nlines"}, "token is missing, or no text"),
        ({"refresh_tokens": "one"}, "no list"),
        ({"token_endpoint": "http://127.0.0.1/token"}, "client_id is missing"),
        ({"refresh_token": "one"}, "has refresh_token, which means nothing"),
    ],
)
def test_what_is_no_server_is_said(file, changes, why):
    with pytest.raises(against.Wrong, match=why):
        against.Other.read(file(**changes))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read: No such file or directory"),
        (b'{\n"address": }', "is no JSON, from line 2 on"),
        (b'"\xff"', "is no text in UTF-8"),
    ],
)
def test_what_is_no_file_to_read_is_said(tmp_path, content, why):
    path = tmp_path / "other.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(against.Wrong, match=why):
        against.Other.read(path)


@pytest.mark.parametrize(
    ("address", "is_here"),
    [
        ("http://127.0.0.1:8008", True),
        ("http://localhost", True),
        ("http://[::1]:8008", True),
        ("https://matrix.example.com", False),
        ("http://192.0.2.1:8008", False),
        ("http://localhost.example.com", False),
    ],
)
def test_only_this_machine_is_here(address, is_here):
    """All else needs a word on the command line."""
    assert against.Origin.of(address, "address").is_here is is_here


def test_a_slow_server_ends_a_batch(monkeypatch):
    """After its seconds, with what it has done; nobody waits for hundreds of answers."""
    monkeypatch.setattr(sides, "SECONDS", 0.0)
    asked = []
    slow = sides.Client(lambda: (), lambda _lines: asked.append("slow"))
    quick = sides.Client(lambda: (), lambda _lines: asked.append("quick"))

    (figure,) = sides.compare("x", sides.Side([quick]), sides.Side([slow]), acts=1000, against="y")

    assert Counter(asked) == {"slow": 2 * (sides.ROUNDS + 1), "quick": 2 * (sides.ROUNDS + 1)}
    assert figure.value > 0
