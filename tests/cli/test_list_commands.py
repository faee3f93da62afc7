"""The commands that list, show and end: sessions, tokens, clients, users and events of a real server."""

import io
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.commands import Operator
from support.oauth import API, Browser, Server
from support.television import Television, let_in
from synapse_nextgen_auth.cli import lists, server_commands, tables
from synapse_nextgen_auth.cli.main import main
from synapse_nextgen_auth.cli.running_server import RunningServer

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]


@pytest.fixture
def homeserver(sqlite_homeserver):
    return sqlite_homeserver


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


@pytest.fixture
def signed_in(server, user):
    """Return the tokens of two sessions of an account, each of a client of its own."""
    names = ("One", "Another")
    clients = [server.client(_metadata(name)) for name in names]
    return [(each, each.sign_in(user.localpart, user.password)) for each in clients]


def _metadata(name):
    host = f"https://{name.lower()}.example.com/"
    return {
        "client_name": name,
        "client_uri": host,
        "redirect_uris": [f"{host}{time.time_ns()}"],
        "token_endpoint_auth_method": "none",
    }


@pytest.fixture
def ask(homeserver, capsys):
    """Return a function that runs the command: its exit code, output and errors."""

    def asked(*arguments):
        code = main(["-c", str(homeserver.config_path), *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return asked


@pytest.fixture
def told(ask):
    """Return a function that runs the command for a script."""

    def asked(*arguments):
        code, out, err = ask(*arguments, "--json")
        assert (code, err) == (0, "")
        return json.loads(out)

    return asked


def sessions_of(told, user, *more):
    return told("sessions", "list", "--user", user.user_id, *more)["sessions"]


def works(server, tokens):
    return server.whoami(tokens["access_token"]).status_code == 200


def test_sessions_are_listed_for_people_and_for_scripts(ask, told, user, signed_in):
    """A table with titles; what is not known is a dash; JSON has all of it."""
    code, out, err = ask("sessions", "list", "--user", user.localpart)
    titles, *rows = out.splitlines()
    found = sessions_of(told, user)

    assert (code, err) == (0, "")
    assert titles.split() == [
        *("ID", "ACCOUNT", "APPLICATION", "DEVICE", "BEGAN", "LAST", "USED", "FROM")
    ]
    assert {row.split()[2] for row in rows} == {"One", "Another"}
    assert all(row.split()[1] == user.user_id for row in rows)
    assert {each["client_id"] for each in found} == {client.id for client, _ in signed_in}
    assert {each["kind"] for each in found} == {"session"}


def test_filters_find_what_they_say(told, user, signed_in):
    """Each by itself, and with the account."""
    (one, _), (_, _) = signed_in

    assert len(sessions_of(told, user)) == 2
    assert [each["client_id"] for each in sessions_of(told, user, "--client", one.id)] == [one.id]
    assert len(sessions_of(told, user, "--scope", API)) == 2
    assert sessions_of(told, user, "--scope", "urn:synapse:admin:*") == []
    assert sessions_of(told, user, "--idle", "1h") == []
    assert sessions_of(told, user, "--older", "1h") == []
    assert len(sessions_of(told, user, "--younger", "1h")) == 2
    assert len(sessions_of(told, user, "--device", "with")) == 2
    assert sessions_of(told, user, "--device", "without") == []
    assert sessions_of(told, user, "--address", "192.0.2.1") == []
    assert sessions_of(told, user, "--state", "over") == []


def test_one_session_is_shown_and_ended(ask, told, server, user, signed_in):
    """It is over at once with its device, its account's event says so, and another one says why."""
    (client, ends), (_, stays) = signed_in
    session_id = sessions_of(told, user, "--client", client.id)[0]["session_id"]
    _, shown, _ = ask("sessions", "show", session_id)
    code, out, _ = ask("sessions", "end", session_id, "--why", "lost in the train")

    assert f"account     {user.user_id}" in shown
    assert "state       living" in shown
    assert (code, out) == (0, "Ended: 1 session.\n")
    assert not works(server, ends)
    assert works(server, stays)
    assert told("sessions", "show", session_id)["state"] == "over"
    assert ask("sessions", "end", session_id)[0] == 1
    assert ask("sessions", "show", "0" * 32)[2] == "* There is no such session\n"
    events = told("events", "list", "--session", session_id, "--kind", "session_ended")["events"]
    (done,) = [
        json.loads(each["detail"])
        for each in told("events", "list", "--kind", "admin_changed")["events"]
        if session_id in each["detail"]
    ]
    assert [(each["user_id"], each["address"]) for each in events] == [(user.user_id, None)]
    assert done == {"did": "command sessions end", "to": session_id, "why": "lost in the train"}


def test_ending_by_filter_looks_first(ask, told, server, user, signed_in, monkeypatch):
    """A dry run ends nothing, nobody to ask neither; who says yes ends what was counted."""
    mine = ("sessions", "end", "--user", user.user_id)
    assert told(*mine, "--dry-run")["count"] == 2
    assert "That would end 2 sessions." in ask(*mine, "--dry-run")[1]
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    code, _, err = ask(*mine)

    assert code == 1
    assert "Nobody is there to say so: add --yes" in err
    assert all(works(server, tokens) for _, tokens in signed_in)
    assert ask(*mine, "--yes")[1] == "Ended: 2 sessions.\n"
    assert not any(works(server, tokens) for _, tokens in signed_in)
    assert ask(*mine, "--yes")[1] == "Ended: 0 sessions.\n"


class Terminal(io.StringIO):
    """Somebody who types this."""

    def isatty(self):
        return True


def test_whoever_sits_there_is_asked(ask, server, user, signed_in, monkeypatch):
    """Anything but a yes ends nothing."""
    for typed, is_ended in (("n", False), ("", False), ("yes", True)):
        monkeypatch.setattr("sys.stdin", Terminal(f"{typed}\n"))
        code, _, err = ask("sessions", "end", "--user", user.user_id)

        assert "End 2 sessions? [y/N]" in err
        assert (code == 0) is is_ended
        assert works(server, signed_in[0][1]) is not is_ended


# What other tests left behind has no device, or a narrower scope: a filter by these would find some.
@pytest.mark.parametrize("meant", [(), ("--younger", "10y")])
@pytest.mark.parametrize("sure", [(), ("--yes",)])
def test_nothing_ends_everything_by_accident(ask, server, signed_in, meant, sure):
    """No filter, or one that leaves out nobody today: refused without --all, whoever says yes."""
    code, _, err = ask("sessions", "end", *meant, *sure)

    assert code == 1
    assert "say --all if that is meant" in err or "Nobody is there to say so" in err
    assert all(works(server, tokens) for _, tokens in signed_in)


@pytest.mark.parametrize(
    "arguments",
    [
        ("sessions", "end", "", "--user", "ALICE"),
        ("sessions", "end", "--user", "", "--yes"),
        ("sessions", "end", "--user", "ALICE", "--address", "", "--yes"),
        ("sessions", "end", "--user", "ALICE", "--client", "", "--yes"),
        ("tokens", "end", ""),
        ("users", "reset-factors", ""),
        ("clients", "block", ""),
        ("events", "list", "--user", ""),
    ],
)
def test_a_variable_that_was_not_set_is_no_argument(ask, server, user, signed_in, arguments):
    """`--user "$WHO"` without a WHO means nobody, and never everybody."""
    asked = [user.localpart if each == "ALICE" else each for each in arguments]

    with pytest.raises(SystemExit) as stopped:
        ask(*asked)

    assert stopped.value.code == 2
    assert all(works(server, tokens) for _, tokens in signed_in)


@pytest.mark.parametrize("name", ["sessions end", "tokens end"])
def test_the_server_takes_no_empty_id_and_no_filter_beside_one(
    homeserver, told, server, user, signed_in, name
):
    """Another release of the command, or another program, has no way around it either."""
    session_id = sessions_of(told, user)[0]["session_id"]
    ask = Operator.of(homeserver).say

    assert "missing" in ask(name, session="", user=user.user_id)["refused"]
    said = ask(name, session=session_id, user=homeserver.new_user().user_id)["refused"]
    assert said == "Say which one by its id, or which ones by filters: not both"
    assert all(works(server, tokens) for _, tokens in signed_in)


@pytest.mark.parametrize("act", ["list", "end"])
def test_who_is_not_there_is_a_slip(ask, act):
    """No empty list and no end of nothing, which would look as if all were well."""
    for arguments, words in (
        (("--user", "no-such-body"), "* There is no account @no-such-body:localhost\n"),
        (("--client", "no-such-client"), "* There is no client no-such-client\n"),
    ):
        code, out, err = ask("sessions", act, *arguments)

        assert (code, out, err) == (1, "", words)


def test_who_stops_it_is_told_how_far_it_came(ask, server, user, signed_in, monkeypatch):
    """Ctrl-C between two bites; what has ended has ended."""
    stops = iter([False, True])

    class Impatient(RunningServer):
        def ask(self, command, **wanted):
            if wanted.get("dry_run"):
                return super().ask(command, **wanted)
            if next(stops):
                raise KeyboardInterrupt
            return {**super().ask(command, **wanted), "left": 1}

    monkeypatch.setattr(server_commands, "RunningServer", Impatient)
    code, out, err = ask("sessions", "end", "--user", user.user_id, "--yes")

    assert (code, out) == (130, "")
    assert err.startswith("Stopped. Ended: 2 sessions, and perhaps")
    assert not any(works(server, tokens) for _, tokens in signed_in)


def test_what_cannot_be_written_is_said_in_a_sentence(homeserver, user, signed_in):
    """A full disk is no traceback."""
    command = [sys.executable, "-c", "import sys; from synapse_nextgen_auth.cli.main import main;"]
    command[-1] += " sys.exit(main(sys.argv[1:]))"
    asked = ["-c", str(homeserver.config_path), "sessions", "list", "--user", user.user_id]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*command, *asked], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert done.returncode == 1
    assert done.stderr == "* Not all of it could be written: No space left on device\n"


def test_the_server_refuses_it_itself(homeserver, signed_in):
    """Another client of the endpoint than ours has no way around it."""
    said = Operator.of(homeserver).say("sessions end")

    assert "say --all if that is meant" in said["refused"]


@pytest.mark.parametrize("name", ["sessions list", "tokens list", "clients list", "events list"])
@pytest.mark.parametrize(
    "after", [["x", "y"], ["1"], ["-1", "a"], ["1", "2", "3"], ["9" * 40, "a"]]
)
def test_a_page_after_nothing_is_refused(homeserver, name, after):
    """No mistake of a program becomes one of the database."""
    assert Operator.of(homeserver).say(name, after=after) == {
        "refused": "--after is not what it should be"
    }


def test_a_long_list_comes_in_pages(ask, told, homeserver, server, user, monkeypatch):
    """However many there are, in order and each once; who wants some is told that there are more."""
    client = server.client(_metadata("Many"))
    for _ in range(5):
        client.sign_in(user.localpart, user.password)
    whole = sessions_of(told, user)
    monkeypatch.setattr(lists, "_PAGE", 2)
    paged = sessions_of(told, user, "--limit", "0")
    _, out, err = ask("sessions", "list", "--user", user.user_id, "--limit", "3")

    assert len(whole) == 5
    assert paged == whole
    assert len(out.splitlines()) == 4
    assert err == "There are more: --limit 0 lists all of them.\n"


def test_a_token_is_issued_used_listed_and_ended(ask, told, server, user):
    """For a bot: printed once, with its own device; its owner sees it as any other."""
    issued = told(
        *("tokens", "issue", user.localpart, "--name", "Door bell"),
        *("--scope", API, "--for", "7d", "--why", "the bell"),
    )
    (listed,) = told("tokens", "list", "--user", user.user_id)["sessions"]
    who = server.whoami(issued["token"]).json()

    made = told("events", "list", "--user", user.user_id, "--kind", "personal_token_made")["events"]

    assert who["user_id"] == user.user_id
    # From where the operator did it is nothing for the account.
    assert [each["address"] for each in made] == [None]
    assert who["device_id"] == issued["device_id"]
    assert listed["name"] == "Door bell"
    assert abs(listed["expires_at"] - time.time() - 7 * 24 * 3600) < 60
    assert issued["token"] not in json.dumps(listed)
    assert ask("tokens", "end", listed["session_id"])[1] == "Ended: 1 token.\n"
    assert server.whoami(issued["token"]).status_code == 401
    assert told("tokens", "list", "--user", user.user_id)["sessions"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--scope", "made.up"), "No personal token has made.up. There are: urn:matrix:client"),
        (("--scope", "urn:synapse:admin:*"), "This account is no administrator"),
        (("--scope", "urn:nextgen-auth:room:!a:b"), "--scope is missing"),
        (("--scope", API, "--device", "x"), "--device: "),
        (("--scope", API, "--device", "none"), "This scope takes a device"),
        (("--scope", API, "--for", "11y"), "--for must be"),
        (("--scope", API, "--name", "x" * 101), "--name is too long"),
    ],
)
def test_a_token_that_cannot_be_is_refused_in_words(ask, told, user, arguments, words):
    code, _, err = ask("tokens", "issue", user.localpart, "--name", "Bot", *arguments)

    assert (code, words in err) == (1, True), err
    assert told("tokens", "list", "--user", user.user_id)["sessions"] == []


def test_tokens_are_no_sessions_of_others(ask, told, server, user, signed_in):
    """What ends tokens ends no application's session, be it named by its id."""
    session_id = sessions_of(told, user)[0]["session_id"]
    code, _, err = ask("tokens", "end", session_id)

    assert (code, err) == (1, "* There is no such session\n")
    assert ask("tokens", "end", "--user", user.user_id, "--yes")[1] == "Ended: 0 tokens.\n"
    assert all(works(server, tokens) for _, tokens in signed_in)


def test_clients_are_listed_shown_and_blocked(ask, told, server, user, signed_in):
    """Whoever is blocked gets no tokens any more, until somebody lets it in again."""
    (client, tokens), _ = signed_in
    listed = told("clients", "list", "--search", client.redirect_uri, "--limit", "0")["clients"]
    shown = told("clients", "show", client.id)
    code, out, _ = ask("clients", "block", client.id, "--why", "it spams")

    assert [each["client_id"] for each in listed] == [client.id]
    assert shown["sessions"] == 1
    assert shown["metadata"]["redirect_uris"] == [client.redirect_uri]
    assert (code, f"sessions end --client {client.id}" in out) == (0, True)
    assert client.refresh(tokens["refresh_token"]).status_code == 401
    assert told("clients", "show", client.id)["blocked_why"] == "it spams"
    assert ask("clients", "block", client.id)[2] == "* This client is blocked already\n"
    assert ask("clients", "unblock", client.id)[0] == 0
    assert client.refresh(tokens["refresh_token"]).status_code == 200
    assert ask("clients", "unblock", client.id)[2] == "* This client is not blocked\n"
    assert ask("clients", "show", "nobody")[2] == "* There is no client nobody\n"


def test_what_waits_for_a_client_goes_with_the_block(ask, server, user):
    """A device that was let in before, and asks only after it is let in again (as in the admin API)."""
    tv = Television.begin(server, client_name="Blocked TV")
    let_in(Browser(server), tv, user)
    assert ask("clients", "block", tv.client.id)[0] == 0
    assert ask("clients", "unblock", tv.client.id)[0] == 0

    assert tv.poll().json()["error"] == "access_denied"


def test_users_are_listed_and_shown(ask, told, homeserver, user, signed_in):
    """By a part of the name, by what became of them; guests and bridges are none."""
    admin = homeserver.new_user(admin=True)
    found = told("users", "list", "--search", user.localpart)["users"]
    shown = told("users", "show", user.localpart)

    assert user.user_id in [each["user_id"] for each in found]
    admins = told("users", "list", "--admin", "--limit", "0")["users"]
    assert admin.user_id in [each["user_id"] for each in admins]
    assert user.user_id not in [each["user_id"] for each in admins]
    assert (shown["sessions"], shown["personal_tokens"], shown["sign_in"]) == (2, 0, "ok")
    assert ask("users", "show", "nobody-at-all")[2].startswith("* There is no account @nobody")
    assert ask("users", "show", "@a:elsewhere")[2] == "* @a:elsewhere is no account of localhost\n"
    assert told("users", "list", "--search", user.localpart, "--state", "locked")["users"] == []


def test_users_are_helped_by_the_commands_that_there_are(told, ask, user):
    """The link is that of `set-password-link`, the reset that of `factors reset`."""
    link = told("users", "recovery-link", user.localpart, "--for", "1h")
    code, _, err = ask("users", "reset-factors", user.localpart)

    assert "set-password?" in link["url"]
    assert (code, err) == (1, "* This account has no second factor\n")


def test_events_are_exported_a_line_each(ask, told, user, signed_in, monkeypatch):
    """The newest first, page by page, each once."""
    whole = told("events", "list", "--user", user.user_id, "--limit", "0")["events"]
    monkeypatch.setattr(lists, "_PAGE", 2)
    code, out, _ = ask("events", "list", "--user", user.user_id, "--limit", "0", "--lines")
    exported = [json.loads(line) for line in out.splitlines()]

    assert code == 0
    assert exported == whole
    times = [each["happened_at"] for each in exported]
    assert times == sorted(times, reverse=True)
    assert len({each["event_id"] for each in exported}) == len(exported) > 3
    assert {each["user_id"] for each in exported} == {user.user_id}
    assert ask("events", "list", "--kind", "made_up")[2].startswith(
        "* There are no events made_up;"
    )


def test_what_strangers_chose_cannot_talk_to_the_terminal():
    """An application may be called anything."""
    assert tables.shown("\x1b[2Jgone\nand\u202e more") == "\\x1b[2Jgone\\nand\\u202e more"
    assert tables.shown("Ümläut 漢字") == "Ümläut 漢字"
    assert tables.shown(None) == tables.shown("") == "-"
    assert tables.shown(0) == "0"


def test_progress_is_for_a_terminal_alone(monkeypatch, capsys):
    """A bar on standard error while there is more to do; gone at the end."""
    progress = lists.Progress(10)
    progress.more(5)
    progress.end()
    assert capsys.readouterr().err == ""

    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    progress = lists.Progress(10)
    progress.more(5)
    seen = capsys.readouterr().err
    progress.more(5)
    progress.end()
    assert seen == f"\r[{'#' * 15}{'.' * 15}] 5 of 10"
    assert capsys.readouterr().err == "\r\x1b[K"
