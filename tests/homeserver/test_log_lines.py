"""One line for each session that began, ended or was refused, and for each sign-in that failed.

They name who and from where, for an operator who looks for one of them, and never a secret.
"""

import re

import pytest
import requests

from support.markdown import DOCS, section
from support.oauth import API, DEVICE, Browser, Server, device_id
from support.tokens import inside
from support.waiting import eventually

HERE = "127.0.0.1"


class Lines:
    """What a homeserver logs from now on."""

    def __init__(self, homeserver):
        self._homeserver = homeserver
        self._since = len(homeserver.log_text())

    def all(self):
        return self._homeserver.log_text()[self._since :]

    def of(self, pattern):
        """Return the one message that matches, without what stands before it in the line."""
        found = eventually(lambda: re.findall(rf" - ({pattern})$", self.all(), re.MULTILINE))
        assert len(found) == 1, (pattern, self.all())
        return found[0]


@pytest.fixture
def lines(sqlite_homeserver):
    return Lines(sqlite_homeserver)


@pytest.fixture
def user(sqlite_homeserver):
    return sqlite_homeserver.new_user()


@pytest.fixture
def client(sqlite_homeserver, server):
    return server.client()


@pytest.fixture
def server(sqlite_homeserver):
    return Server(sqlite_homeserver.base_url)


def test_a_session_begins_and_ends_with_a_line_each(lines, client, user):
    """From the first to the last the same ids, so that one search finds both."""
    device = device_id()
    tokens = client.sign_in(user.localpart, user.password, scope=f"{API} {DEVICE}{device}")
    session = inside(tokens["access_token"]).session_id
    whose = f"client {client.id}, account {user.user_id}, device {device}, address {HERE}"

    assert lines.of("Session .* began: .*") == f"Session {session} began: {whose}"
    client.server.revoke(token=tokens["refresh_token"])
    assert lines.of("Session .* ended: .*") == f"Session {session} ended: revoked, {whose}"


def reuse(client, tokens, _user):
    second = client.refresh(tokens["refresh_token"]).json()
    client.refresh(second["refresh_token"])
    client.refresh(tokens["refresh_token"])


def log_out(client, tokens, _user):
    client.server.api("POST", "/_matrix/client/v3/logout", tokens["access_token"], json={})


def sign_in_again(client, tokens, user):
    device = next(t for t in tokens["scope"].split() if t.startswith(DEVICE))
    client.sign_in(user.localpart, user.password, scope=f"{API} {device}")


@pytest.mark.parametrize(
    ("end", "why"), [(reuse, "reuse"), (log_out, "logout"), (sign_in_again, "replaced")]
)
def test_whatever_ends_a_session_has_its_line(lines, client, user, end, why):
    tokens = client.sign_in(user.localpart, user.password)

    end(client, tokens, user)

    session = inside(tokens["access_token"]).session_id
    assert lines.of(f"Session {session} ended: .*").startswith(f"Session {session} ended: {why},")


def test_a_refused_session_says_who_asked(lines, client, user):
    tokens = client.sign_in(user.localpart, user.password)
    client.server.revoke(token=tokens["refresh_token"])

    client.refresh(tokens["refresh_token"])

    session = inside(tokens["refresh_token"]).session_id
    line = lines.of(r"Refused POST /_synapse/client/auth/token .*")
    assert line.startswith(f"Refused POST /_synapse/client/auth/token from {HERE}: invalid_grant:")
    assert line.endswith(f"; client {client.id}, session {session}")


def test_a_refused_code_says_who_asked(lines, client):
    """Also where the client names itself in a header, and before anybody knows that it may."""
    client.server.post(
        "token", {"grant_type": "authorization_code", "code": "x"}, auth=("not me", "secret")
    )

    line = lines.of(r"Refused POST /_synapse/client/auth/token .*")
    assert line.endswith("; client not\\u0020me, session -")
    assert "secret" not in line


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"client_id": "nobody"}, "unknown_client"),
        ({"redirect_uri": "https://x.example.com/cb?a=hidden#hidden"}, "bad_redirect_uri"),
        ({"response_type": "token"}, "unsupported_response_type: response_type must be code"),
    ],
)
def test_a_refused_authorization_says_which_client_and_where_to(lines, client, changes, told):
    parameters, _ = client.request(**changes)

    Browser(client.server).authorize(parameters)

    uri = parameters["redirect_uri"].partition("?")[0]
    assert lines.of("Refused an authorization .*") == (
        f"Refused an authorization of client {parameters['client_id']} to {uri} from {HERE}: {told}"
    )
    assert "hidden" not in lines.all()
    assert parameters["state"] not in lines.all()


FORGED = "x\n2026-11-27 10:00:00,000 - synapse_nextgen_auth.web.pages.sign_in - 1 - INFO - GET-1 - "


def test_nobody_writes_a_line_of_the_log(lines, client):
    """What a client sends is one word, however many lines it has."""
    forged = FORGED + "Refused a sign-in from 192.0.2.1: wrong_password, account -"
    parameters, _ = client.request(client_id=forged, redirect_uri=forged)

    Browser(client.server).authorize(parameters)
    requests.get(
        client.server.url("sign-in"), headers={"User-Agent": forged.replace("\n", " ")}, timeout=60
    )
    client.server.token(grant_type="refresh_token", refresh_token="x", client_id=forged)

    assert lines.of("Refused an authorization .*").startswith(
        r"Refused an authorization of client x\u000a2026-11-27\u0020"
    )
    assert banned(lines.all()) == []


def banned(text):
    """Return what the filter of the page finds in a log, as fail2ban does: the date goes first."""
    page = section(DOCS / "topics" / "security.md", "Guesses at passwords")
    (failregex,) = re.findall(r"^failregex = (.*)$", page, re.MULTILINE)
    pattern = re.compile(failregex.replace("<HOST>", r"(?P<host>\S+)"))
    date = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}")
    found = (pattern.search(date.sub("", line)) for line in text.splitlines() if date.match(line))
    return [match["host"] for match in found if match]


def test_a_wrong_password_is_a_line_that_fail2ban_reads(lines, client, user):
    """With the very filter that the page says; a known account is named, what was typed is not."""
    browser = Browser(client.server)
    browser.get(client.server.url("sign-in"))

    browser.sign_in(user.localpart, "not-the-password")
    browser.sign_in("nobody-is-called-so", "not-the-password")
    browser.sign_in(user.localpart, user.password)

    assert banned(eventually(lines.all)) == [HERE, HERE]
    assert f"Refused a sign-in from {HERE}: wrong_password, account {user.user_id}" in lines.all()
    assert f"Refused a sign-in from {HERE}: wrong_password, account -" in lines.all()
    assert "not-the-password" not in lines.all()
    ours = [line for line in lines.all().splitlines() if " - synapse_nextgen_auth." in line]
    assert "nobody-is-called-so" not in "".join(ours)
    assert f"{user.user_id} signed in from {HERE}" in lines.all()


def test_no_line_holds_a_secret(lines, client, user):
    """Of everything that a sign-in, a refresh and a revocation send and get."""
    parameters, verifier = client.request()
    browser = Browser(client.server)
    code = browser.let_in(parameters, user.localpart, user.password)["code"]
    tokens = client.redeem(code, verifier).json()
    renewed = client.refresh(tokens["refresh_token"]).json()
    client.redeem(code, verifier)
    client.server.revoke(token=renewed["refresh_token"])
    lines.of("Session .* ended: .*")

    secrets = {code, verifier, user.password, browser.cookie, parameters["state"]}
    secrets |= {tokens[name] for name in ("access_token", "refresh_token")}
    secrets |= {renewed[name] for name in ("access_token", "refresh_token")}
    assert [secret for secret in secrets if secret in lines.all()] == []
