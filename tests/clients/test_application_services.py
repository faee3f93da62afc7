"""Application services in life: the program of the documentation, and a bridge library of others."""

import json
import socket
import subprocess
import sys
import textwrap

import pytest
import yaml

from support import bridges
from support.coroutines import finish
from support.markdown import DOCS, fences
from support.oauth import Server
from support.ports import free_port
from support.synapse import Homeserver
from support.waiting import eventually

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]

PAGE = DOCS / "topics" / "application-services.md"
V3 = "/_matrix/client/v3"
OTHER = bridges.registration("mautrix")


def shown(language, number=0):
    """Return a block of the page."""
    found = [textwrap.dedent(text) for kind, text in fences(PAGE) if kind == language]
    return found[number]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Run the commands of the page; return the directory, and the key that they printed."""
    directory = tmp_path_factory.mktemp("bridge")
    commands = shown("sh").replace("python3", sys.executable)
    done = subprocess.run(
        ["sh", "-e", "-c", commands], cwd=directory, check=True, capture_output=True, text=True
    )
    return directory, json.loads(done.stdout)


@pytest.fixture(scope="module")
def port():
    return free_port(["127.0.0.1"])


@pytest.fixture(scope="module")
def bridged(tmp_path_factory, make_database, files, port):
    """Start a homeserver that is configured as the page says."""
    directory, key = files
    echo = yaml.safe_load(shown("yaml").replace("29300", str(port)).replace("example", "localhost"))
    echo["hs_token"] = (directory / "echo.hs_token").read_text().strip()
    paths = []
    for each in (echo, OTHER):
        paths.append(directory / f"{each['id']}.yaml")
        paths[-1].write_text(yaml.safe_dump(each))
    written = yaml.safe_load(shown("yaml", 1))["modules"][0]["config"]
    written["clients"][0]["jwks"]["keys"] = [key]
    written["clients"].append(bridges.client("mautrix", refuse_as_token=True))
    here = tmp_path_factory.mktemp("homeserver-echo")
    config = {"app_service_config_files": [str(path) for path in paths]}
    database = make_database("sqlite", here)
    with Homeserver(here, database, module=written, config=config) as started:
        yield started


@pytest.fixture
def server(bridged):
    return Server(bridged.base_url)


def _listens(port):
    with socket.socket() as there:
        return there.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def echo(bridged, files, port):
    """Run the program of the page."""
    directory, _ = files
    text = shown("python").replace("https://matrix.example.com", bridged.base_url.rstrip("/"))
    text = text.replace("@echo:example.com", "@echo:localhost").replace("29300", str(port))
    (directory / "echo.py").write_text(text)
    with subprocess.Popen([sys.executable, "echo.py"], cwd=directory) as program:
        try:
            # What Synapse cannot deliver it tries again, in a log context that is over by then.
            assert eventually(lambda: _listens(port))
            yield program
        finally:
            program.terminate()


def test_a_stranger_gets_an_answer_from_the_bridge_of_the_page(bridged, server, echo):
    """Made, configured and started as the page says, its `as_token` refused: it repeats what is said."""
    user = bridged.new_user()
    token = bridged.login(user)["access_token"]
    body = {"invite": ["@echo:localhost"], "preset": "private_chat"}
    room = server.api("POST", f"{V3}/createRoom", token, json=body).json()["room_id"]

    def members():
        path = f"{V3}/rooms/{room}/joined_members"
        return server.api("GET", path, token).json()["joined"]

    assert eventually(lambda: "@echo:localhost" in members())
    said = {"msgtype": "m.text", "body": "Is anybody there?"}
    server.api("PUT", f"{V3}/rooms/{room}/send/m.room.message/1", token, json=said)

    def heard():
        path = f"{V3}/rooms/{room}/messages?dir=b"
        events = server.api("GET", path, token).json()["chunk"]
        return [each["sender"] for each in events if each["content"].get("body") == said["body"]]

    assert eventually(lambda: sorted(heard()) == ["@echo:localhost", user.user_id])
    secret = yaml.safe_load(shown("yaml"))["as_token"]
    assert server.whoami(secret).status_code == 401
    assert echo.poll() is None


def test_mautrix_asks_for_a_token_before_each_request(server, monkeypatch, tmp_path):
    """A bridge on mautrix as it is, with the property of the page; each request has a new token."""
    from mautrix.appservice import AppServiceAPI  # noqa: PLC0415 (slow, as all of mautrix)
    from mautrix.appservice.state_store.file import FileASStateStore  # noqa: PLC0415 (the same)
    from mautrix.util.logging import TraceLogger  # noqa: PLC0415 (the same)

    given = []

    def token():
        given.append(bridges.token("mautrix", server))
        return given[-1]

    class Shared:
        """Where the line of the page puts its property."""

    exec(shown("python", 1).splitlines()[-1], {"AppServiceAPI": Shared, "token": token})
    monkeypatch.setattr(AppServiceAPI, "token", Shared.token, raising=False)

    async def run():
        api = AppServiceAPI(
            base_url=server.base_url.rstrip("/"),
            bot_mxid="@mautrix_bot:localhost",
            token=OTHER["as_token"],
            log=TraceLogger("bridge"),
            state_store=FileASStateStore(str(tmp_path / "state.json"), binary=False),
        )
        try:
            bot, ghost = api.bot_intent(), api.intent("@mautrix_ghost:localhost")
            room = await bot.create_room(name="Portal", invitees=["@mautrix_ghost:localhost"])
            await ghost.ensure_joined(room)
            sent = await ghost.send_text(room, "from the other network")
            return (await bot.get_event(room, sent)).sender
        finally:
            await api.session.close()

    assert finish(run()) == "@mautrix_ghost:localhost"
    assert len(set(given)) == len(given) > 5
    assert server.whoami(OTHER["as_token"]).status_code == 401
