"""Commands that ask the running server: over the listeners of its configuration, and nobody else's."""

import json
import socket
import threading
import time
from http.server import ThreadingHTTPServer

import attrs
import pytest
import requests

from support.commands import PATH, Operator
from support.databases import SqliteDatabase
from support.http_handlers import OneAnswer
from support.ports import free_port
from support.synapse import Homeserver
from synapse_nextgen_auth.accounts.commands import Stamp
from synapse_nextgen_auth.cli import server_commands
from synapse_nextgen_auth.cli.main import main
from synapse_nextgen_auth.cli.running_server import CannotAsk, RunningServer
from synapse_nextgen_auth.oauth.metadata import PREFIX
from synapse_nextgen_auth.secret import random_id


@pytest.fixture(scope="module")
def by_socket(tmp_path_factory):
    """Yield a homeserver whose clients come by a Unix socket and by TCP, with a secret in a file."""
    directory = tmp_path_factory.mktemp("by-socket")
    (directory / "secret").write_text("a secret that stands in a file of its own\n")
    homeserver = Homeserver(
        directory,
        SqliteDatabase(directory),
        module={"secret_path": str(directory / "secret")},
    )
    sockets = [
        {"path": str(directory / "client.sock"), "type": "http"}
        | {"resources": [{"names": ["client"]}]}
    ]
    homeserver.config = {"listeners": [*sockets, *homeserver.settings()["listeners"]]}
    with homeserver:
        yield homeserver


def ask(homeserver, capsys, *arguments, **options):
    code = main(["-c", str(homeserver.config_path), *arguments], **options)
    said = capsys.readouterr()
    return code, said.out, said.err


def hang_up(server):
    """Take one connection and say nothing."""
    connection, _ = server.accept()
    connection.close()


def test_the_running_server_says_who_it_is(sqlite_homeserver, capsys):
    code, out, err = ask(sqlite_homeserver, capsys, "status")

    assert (code, err) == (0, "")
    assert out.startswith("localhost runs synapse-nextgen-auth ")
    assert "its process master answered" in out


def test_scripts_read_json(sqlite_homeserver, capsys):
    _, out, _ = ask(sqlite_homeserver, capsys, "status", "--json")

    assert json.loads(out)["issuer"] == f"{sqlite_homeserver.base_url}{PREFIX}/"


def test_a_unix_socket_and_a_secret_in_a_file_do(by_socket, tmp_path, capsys):
    """The socket stands first; the secret is read as the server reads it."""
    sent_to_tcp = ask(by_socket, capsys, "status", "--url", by_socket.base_url)
    code, _, err = ask(by_socket, capsys, "status")
    _, _, nowhere = ask(by_socket, capsys, "status", "--url", f"unix:{tmp_path}/none")

    assert (sent_to_tcp[0], code, err) == (0, 0, "")
    assert nowhere.startswith("* There is no socket ")


def test_several_files_are_one_configuration(sqlite_homeserver, tmp_path, capsys):
    """As Synapse is started; a later file says where the server listens."""
    listens = {"names": ["client"]}
    other = tmp_path / "listeners.yaml"
    other.write_text(
        json.dumps(
            {
                "listeners": [
                    {"type": "http", "port": free_port(("127.0.0.1",)), "resources": [listens]},
                    {
                        "type": "http",
                        "port": sqlite_homeserver.main.port,
                        "bind_addresses": ["0.0.0.0"],
                        "resources": [listens],
                    },
                ]
            }
        )
    )

    code, out, err = ask(sqlite_homeserver, capsys, "status", "-c", str(other))

    assert (code, err) == (0, "")
    assert out.startswith("localhost runs")


def test_the_files_of_workers_say_where_they_listen(sqlite_homeserver, tmp_path, capsys):
    """Each of them counts, also where the first is down; and the main process needs no listener."""
    nobody, somebody = free_port(("127.0.0.1",)), sqlite_homeserver.main.port
    workers = []
    for name, port in (("down", nobody), ("up", somebody), ("sender", None)):
        listens = {"type": "http", "port": port, "bind_addresses": ["127.0.0.1"]}
        settings = {"worker_app": "synapse.app.generic_worker", "worker_name": name}
        if port:
            listens["resources"] = [{"names": ["client", "federation"]}]
            settings["worker_listeners"] = [listens]
        workers.append(tmp_path / f"{name}.yaml")
        workers[-1].write_text(json.dumps(settings))
    main_only = tmp_path / "main.yaml"
    shared = {"instance_map": {"main": {"host": "127.0.0.1", "port": nobody}}}
    main_only.write_text(json.dumps(sqlite_homeserver.settings() | {"listeners": []} | shared))

    code = main(
        ["-c", str(main_only), "status", *(part for file in workers for part in ("-c", str(file)))]
    )
    said = capsys.readouterr()

    assert (code, said.err) == (0, "")
    assert said.out.startswith("localhost runs")


@pytest.mark.parametrize("listeners", [5, ["x"], [{}], [{"type": "http"}]])
def test_listeners_of_a_worker_that_are_none_are_said(
    sqlite_homeserver, listeners, tmp_path, capsys
):
    first, second = tmp_path / "broken.yaml", tmp_path / "fine.yaml"
    first.write_text(json.dumps({"worker_listeners": listeners}))
    second.write_text(json.dumps({"worker_listeners": []}))

    code, _, err = ask(sqlite_homeserver, capsys, "status", "-c", str(first), "-c", str(second))

    assert code == 1
    assert "worker_listeners: " in err


def test_a_request_that_may_have_been_received_is_sent_nowhere_else(sqlite_homeserver):
    """Whether it was done is not known, so the next listener hears nothing of it."""
    before = sqlite_homeserver.log_text().count("Command status")
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=hang_up, args=(server,), daemon=True).start()
        silent = "http://127.0.0.1:" + str(server.getsockname()[1])
        asked = RunningServer.of([sqlite_homeserver.config_path])
        first = RunningServer.of([sqlite_homeserver.config_path], silent).places[0]
        with pytest.raises(CannotAsk, match="does not answer"):
            attrs.evolve(asked, places=[first, *asked.places]).ask("status")

    assert sqlite_homeserver.log_text().count("Command status") == before


def test_a_server_that_does_not_run_is_said(sqlite_homeserver, capsys):
    port = free_port(("127.0.0.1",))

    code, out, err = ask(sqlite_homeserver, capsys, "status", "--url", f"http://127.0.0.1:{port}")

    assert (code, out) == (1, "")
    assert f"* Nothing listens at http://127.0.0.1:{port}\n" in err


@pytest.mark.parametrize("url", ["localhost:8008", "ftp://x", "http://", "http://x:y", "unix:"])
def test_an_address_that_is_none_is_said(sqlite_homeserver, url, capsys):
    code, _, err = ask(sqlite_homeserver, capsys, "status", "--url", url)

    assert code == 1
    assert "--url wants an address" in err


def test_files_have_to_be_named(capsys):
    assert main(["status"]) == 1
    assert "synapse-nextgen-auth -c /etc/matrix-synapse/homeserver.yaml" in capsys.readouterr().err


def test_another_secret_commands_nothing(sqlite_homeserver, tmp_path, capsys):
    """Whoever has only a copy of an older file is told what is wrong, and nothing of the server."""
    settings = sqlite_homeserver.settings() | {
        "macaroon_secret_key": "an older one, replaced since"
    }
    old = tmp_path / "old.yaml"
    old.write_text(json.dumps(settings))

    code = main(["-c", str(old), "status"])

    assert code == 1
    assert "does not fit the secret of the running server" in capsys.readouterr().err


class Stranger(OneAnswer):
    """Whatever listens where the server should be."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"error_description": "\x1b]0;title\x07\nall is \u202ewell"}).encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def test_what_a_stranger_says_moves_no_terminal(sqlite_homeserver, capsys):
    """It proved nothing, and what it says is shown as letters."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as there:
        threading.Thread(target=there.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{there.server_port}"
        code = main(["-c", str(sqlite_homeserver.config_path), "status", "--url", url])
        there.shutdown()

    said = capsys.readouterr().err
    assert code == 1
    assert said == f"* {url}: \\x1b]0;title\\x07\\nall is \\u202ewell\n"


def test_c187_a_request_is_good_once(sqlite_homeserver):
    """Whoever saw one go by, and its answer, has nothing."""
    operator, stamp = Operator.of(sqlite_homeserver), Stamp(int(time.time()), random_id())

    first, again = (operator.post(b'{"command":"status"}', stamp) for _ in range(2))

    assert (first.status_code, again.status_code) == (200, 401)
    assert list(first.json()) == ["sealed"]
    assert "localhost" not in first.text
    assert (
        again.json()["error_description"] == "This request was here before. Nothing was done again"
    )


def test_a_browser_can_do_nothing_there(sqlite_homeserver):
    """No site reads an answer, no cookie counts, and no form gets through."""
    url, origin = sqlite_homeserver.base_url + PATH, {"Origin": "https://evil.example"}

    answers = [
        requests.get(url, headers=origin, timeout=30),
        requests.post(url, data={"command": "status"}, headers=origin, timeout=30),
        requests.post(url, json={"command": "status"}, headers=origin, timeout=30),
    ]

    assert [answer.status_code for answer in answers] == [405, 400, 401]
    for answer in answers:
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Set-Cookie" not in answer.headers
    assert answers[2].headers["WWW-Authenticate"] == "Nextgen-Command"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", None),
        (b"[]", "does not know this command"),
        (b"{}", "does not know this command"),
        (b'{"command":["status"]}', "does not know this command"),
        (b'{"command":"fly"}', "does not know this command"),
        (b'{"command":"status","why":1}', "does not know why for this command"),
    ],
)
def test_what_no_command_of_this_release_asks_is_refused(sqlite_homeserver, body, said):
    operator, stamp = Operator.of(sqlite_homeserver), Stamp(int(time.time()), random_id())

    answer = operator.post(body, stamp)

    if said is None:
        assert answer.status_code == 400
    else:
        assert said in stamp.unseal(operator.keys, answer.json()["sealed"])["refused"]


def test_neither_proof_nor_answer_is_in_the_log(sqlite_homeserver):
    operator, stamp = Operator.of(sqlite_homeserver), Stamp(int(time.time()), random_id())

    answer = operator.post(b'{"command":"status"}', stamp)

    proof = answer.request.headers["Authorization"].rpartition(".")[2]
    log = sqlite_homeserver.log_text()
    assert "Command status from 127.0.0.1: done" in log
    assert stamp.once not in log
    assert proof not in log
    assert answer.json()["sealed"] not in log


@pytest.mark.parametrize(
    ("uses", "words"),
    [
        (1, "It is good once."),
        (2, "It is good 2 times."),
        (None, "It is good as often as you like."),
    ],
)
def test_how_often_an_invitation_is_good_is_a_sentence(uses, words):
    """Also where it is good without end."""
    answer = {"url": "https://a.example", "token": "t", "mailed_to": None}

    said = server_commands.invitation_words(answer | {"uses": uses, "expires_at": None})

    assert said.splitlines()[2:] == [words, "It is good until it is ended."]
