"""The doctor in front of servers that are well, and of all that is wrong with others."""

import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
import threading

import pytest
import yaml

from support.check_config import templates_are_compiled_once  # noqa: F401 (a fixture)
from support.crooked_proxy import WELL_KNOWN, CrookedProxy, Response
from support.databases import SqliteDatabase
from support.siteverify import SECRET, Siteverify
from support.smtp import MailServer
from support.synapse import Homeserver
from synapse_nextgen_auth.accounts.trials import LOCALPART
from synapse_nextgen_auth.cli import loopback
from synapse_nextgen_auth.cli.doctor import run, sign_in
from synapse_nextgen_auth.cli.doctor.findings import Grade, exit_code
from synapse_nextgen_auth.cli.doctor.front import is_of_the_proxy
from synapse_nextgen_auth.oauth.metadata import PREFIX

pytestmark = [pytest.mark.newest_only]

AUTH_METADATA = "/_matrix/client/v1/auth_metadata"
HTML = [("Content-Type", "text/html")]


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    directory = tmp_path_factory.mktemp("crooked")
    with CrookedProxy(directory, loopback.addresses()) as running:
        yield running


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory, proxy):
    """Yield a homeserver behind that proxy, as its documentation says."""
    directory = tmp_path_factory.mktemp("homeserver-doctor")
    homeserver = Homeserver(directory, SqliteDatabase(directory))
    (listener,) = homeserver.settings()["listeners"]
    homeserver.config = {
        "public_baseurl": f"{proxy.url}/",
        "listeners": [{**listener, "x_forwarded": True}],
    }
    proxy.backend = homeserver.main.port
    with homeserver:
        yield homeserver


@pytest.fixture
def examine(homeserver, proxy):
    """Return a function that looks, and returns what is not well by the name of its check."""

    def look(path=None, *, only=None, **changes):
        files = [path or homeserver.config_path]
        if changes:
            settings = yaml.safe_load(homeserver.config_path.read_text("utf-8")) | changes
            files = [homeserver.directory / "changed.yaml"]
            files[0].write_text(yaml.safe_dump(settings))
        found = dict(
            run.examine(
                files,
                trust=str(proxy.certificate),
                well_known_url=proxy.url + WELL_KNOWN,
                signs_in=only == "sign-in",
            )
        )
        wrong = {
            name: [finding for finding in findings if finding.grade is not Grade.WELL]
            for name, findings in found.items()
        }
        # Of a server of the tests: plain passwords and no mail.
        wrong.pop("mail" if only != "mail" else "", None)
        wrong["configuration"] = [
            each for each in wrong["configuration"] if each.grade is not Grade.DOUBT
        ]
        return {name: findings for name, findings in wrong.items() if findings}

    proxy.heal()
    yield look
    proxy.heal()


def words(findings):
    return " ".join(f"{each.what} {each.where} {each.fix}" for each in findings)


def test_c390_a_server_that_is_well_is_well_and_no_account_stays_open(homeserver, examine):
    """Everything is looked at, somebody signs in, and the account is closed afterwards."""
    assert examine(only="sign-in") == {}
    user_id = f"@{LOCALPART}:{homeserver.server_name}"
    (deactivated,) = homeserver.query("SELECT deactivated FROM users WHERE name = ?", user_id)
    assert deactivated == (1,)
    living = "SELECT count(*) FROM nextgen_sessions WHERE user_id = ? AND ended_at IS NULL"
    assert homeserver.query(living, user_id) == [(0,)]
    assert homeserver.query("SELECT count(*) FROM devices WHERE user_id = ?", user_id) == [(0,)]
    # And it opens again.
    assert examine(only="sign-in") == {}


def test_the_command_says_it_in_words_and_in_json(homeserver, proxy):
    """With the exit code of the worst."""
    command = [sys.executable, "-m", "synapse_nextgen_auth.cli.main", "doctor"]
    arguments = ["-c", str(homeserver.config_path), "--trust", str(proxy.certificate)]
    arguments += ["--well-known", proxy.url + WELL_KNOWN, "--no-sign-in"]
    plain = subprocess.run(
        [*command, *arguments], check=False, capture_output=True, text=True, timeout=120
    )
    as_json = subprocess.run(
        [*command, *arguments, "--json"], check=False, capture_output=True, text=True, timeout=120
    )

    found = json.loads(as_json.stdout)
    assert {"check", "grade", "what", "where", "fix"} == found[0].keys()
    assert (plain.returncode, as_json.returncode) == (2, 2), plain.stdout + plain.stderr
    assert {each["grade"] for each in found} == {"ok", "warning"}
    assert "no mail server" in plain.stdout
    assert "sign-in\n" not in plain.stdout


def _at(path, response):
    return lambda request: response if request.path.startswith(path) else None


def _without(name, *, at=PREFIX):
    def change(request, response):
        if request.path.startswith(at):
            response.drop(name)

    return change


def _with(name, value, *, at=PREFIX, twice=False):
    def change(request, response):
        if request.path.startswith(at):
            if not twice:
                response.drop(name)
            response.headers.append((name, value))

    return change


def _cached():
    kept = {}

    def before(request):
        return kept.get((request.method, request.path))

    def after(request, response):
        if request.path.endswith("/sign-in"):
            kept.setdefault((request.method, request.path), response)

    return {"before": before, "after": after}


def _lost(name):
    def before(request):
        request.headers = [each for each in request.headers if each[0].lower() != name]

    return before


def _renamed(request, response):
    response.headers = [
        (name, value.replace("__Host-", "").replace("Secure", "Domain=localhost"))
        if name.lower() == "set-cookie"
        else (name, value)
        for name, value in response.headers
    ]


def _no_options(request):
    return Response(405, HTML, b"") if request.method == "OPTIONS" else None


def _too_large(request):
    return Response(413, HTML, b"<h1>413</h1>") if len(request.body) > 1000 else None


UNRECOGNIZED = Response(
    404, [("Content-Type", "application/json")], b'{"errcode":"M_UNRECOGNIZED","error":""}'
)
OF_MAS = Response(
    200,
    [("Content-Type", "application/json"), ("Access-Control-Allow-Origin", "*")],
    b'{"issuer":"https://account.example.com/"}',
)
OLD_KEYS = Response(200, [("Content-Type", "application/json")], b'{"keys":[{"kid":"old"}]}')


@pytest.mark.parametrize(
    ("fault", "check", "said"),
    [
        ({"before": _at(AUTH_METADATA, UNRECOGNIZED)}, "applications", "modules of every process"),
        (
            {"before": _at(AUTH_METADATA, Response(404, HTML, b"no"))},
            "applications",
            "404, text/html",
        ),
        (
            {"before": _at(AUTH_METADATA, OF_MAS)},
            "applications",
            "issuer is https://account.example",
        ),
        ({"before": _at(f"{PREFIX}/.well-known", Response(502, HTML, b""))}, "applications", "502"),
        ({"before": _at(f"{PREFIX}/keys", OLD_KEYS)}, "applications", "not those of the server"),
        ({"after": _without("Access-Control-Allow-Origin")}, "applications", "is missing"),
        (
            {"after": _with("Access-Control-Allow-Origin", "*", twice=True)},
            "applications",
            "is there twice",
        ),
        (
            {
                "before": lambda request: (
                    Response(405, HTML, b"") if request.method == "OPTIONS" else None
                )
            },
            "applications",
            "OPTIONS 405",
        ),
        ({"before": _too_large}, "applications", "client_max_body_size"),
        ({"before": _lost("authorization")}, "applications", "Authorization"),
        ({"overwrites": False}, "applications", "pretend to come from any address"),
        ({"before": _at(PREFIX, Response(404, HTML, b""))}, "pages", "no sign-in page"),
        (
            {"after": _without("Content-Security-Policy")},
            "pages",
            "Content-Security-Policy arrives as",
        ),
        (
            {"after": _with("X-Frame-Options", "SAMEORIGIN", twice=True)},
            "pages",
            "DENY and SAMEORIGIN",
        ),
        ({"after": _with("Cache-Control", "max-age=3600")}, "pages", "max-age=3600"),
        ({"after": _without("Set-Cookie")}, "pages", "does not arrive"),
        ({"before": _lost("cookie")}, "pages", "does not come back"),
        ({"after": _renamed}, "pages", "was changed on its way"),
        (_cached(), "pages", "to everybody"),
        ({"before": _at(f"{PREFIX}/static/", Response(404, HTML, b""))}, "pages", "static files"),
        ({"well_known": Response(404, HTML, b"")}, "address", "404"),
        ({"well_known": Response(200, HTML, b"<p>")}, "address", "no JSON"),
        ({"well_known": Response(200, HTML, b"{}")}, "address", "m.homeserver.base_url is missing"),
        (
            {
                "well_known": Response(
                    200, HTML, b'{"m.homeserver":{"base_url":"https://old.example"}}'
                )
            },
            "address",
            "https://old.example",
        ),
    ],
)
def test_what_a_proxy_does_wrong_is_said(proxy, examine, fault, check, said):
    """What, where, and the line to change."""
    for name, value in fault.items():
        setattr(proxy, name, value)
    wrong = examine()

    assert said in words(wrong[check]), wrong
    assert all(finding.fix or finding.grade is Grade.UNSEEN for finding in wrong[check]), wrong[
        check
    ]
    assert exit_code([*wrong.items()]) == 1


def test_a_well_known_document_of_an_older_service_is_said(proxy, examine):
    """Clients of two years ago go by it."""
    document = {
        "m.homeserver": {"base_url": proxy.url},
        "org.matrix.msc2965.authentication": {"issuer": "https://account.example.com/"},
    }
    proxy.well_known.body = json.dumps(document).encode()

    assert "https://account.example.com/" in words(examine()["address"])


@pytest.mark.parametrize(
    ("seen", "ours", "is_the_proxys"),
    [
        (None, "198.51.100.7", True),
        ("127.0.0.1", "198.51.100.7", True),
        ("10.0.0.2", "198.51.100.7", True),
        ("198.51.100.7", "198.51.100.7", False),
        ("127.0.0.1", "127.0.0.1", False),
        ("8.8.8.8", "10.0.0.5", False),
        ("10.0.0.2", None, False),
    ],
)
def test_where_the_server_sees_the_proxy_everybody_shares_a_limit(seen, ours, is_the_proxys):
    """Of one machine with everything on it nobody can tell."""
    assert is_of_the_proxy(seen, ours=ours) is is_the_proxys


@pytest.mark.parametrize(
    ("changes", "check", "said"),
    [
        (
            {"macaroon_secret_key": "another one than the server has, of 40 letters"},
            "processes",
            "Name the files that this process was started with",
        ),
        ({"public_baseurl": "https://localhost:1/"}, "address", "nothing listens"),
        ({"public_baseurl": "https://nobody.invalid/"}, "address", "leads to no address"),
        ({"modules": []}, "configuration", "is missing"),
        ({"server_name": "other.example"}, "processes", "not other.example"),
    ],
)
def test_what_does_not_fit_the_running_server_is_said(examine, changes, check, said):
    """Files that are newer than the processes, or another server's."""
    wrong = examine(**changes)

    assert said in words(wrong[check]), wrong
    # Nobody is sent to the proxy, which has nothing to do with it.
    assert "does not get through" not in words(wrong.get("applications", [])), wrong


def test_another_secret_is_said_of_the_processes_and_not_of_the_proxy(examine):
    """The request came through, and the server said what is wrong with it."""
    wrong = examine(macaroon_secret_key="another one than the server has, of 40 letters")

    (unseen,) = (each for each in wrong["applications"] if each.grade is Grade.UNSEEN)
    assert "the secret of the running server is another one" in unseen.what


def test_a_certificate_that_nobody_trusts_is_said(homeserver, proxy):
    """And nothing behind it can be looked at."""
    found = dict(run.examine([homeserver.config_path], signs_in=False))

    assert "the certificate of" in words(found["address"])
    assert {each.grade for each in found["applications"]} == {Grade.UNSEEN}


def test_a_process_that_does_not_run_is_said(homeserver, examine, tmp_path):
    """Each listener by itself, here of a worker that was not started."""
    worker = tmp_path / "worker.yaml"
    listener = {"type": "http", "port": 1, "bind_addresses": ["127.0.0.1"]}
    listener |= {"resources": [{"names": ["client"]}]}
    worker.write_text(
        yaml.safe_dump(
            {
                "worker_app": "synapse.app.generic_worker",
                "worker_name": "worker1",
                "instance_map": {"main": {"host": "127.0.0.1", "port": 1}},
                "worker_listeners": [listener],
            }
        )
    )
    found = dict(run.examine([homeserver.config_path, worker], signs_in=False))

    (finding,) = found["processes"][1:]
    assert "Nothing listens at http://127.0.0.1:1" in finding.what
    assert (
        finding.fix == "Is it running, and was it restarted since the module was added or upgraded?"
    )
    assert "--url" not in words([finding])


def test_an_account_that_is_open_is_left_alone(homeserver, examine):
    """Somebody could be called so; a look that ended half-way is closed by hand."""
    user = homeserver.register_user("somebody-else")
    homeserver.query(
        "UPDATE users SET deactivated = 0 WHERE name = ?", f"@{LOCALPART}:{homeserver.server_name}"
    )
    assert user is not None
    homeserver.restart()

    assert "another look is under way" in words(examine(only="sign-in")["sign-in"])
    command = [sys.executable, "-m", "synapse_nextgen_auth.cli.main", "doctor", "--close"]
    done = subprocess.run(
        [*command, "-c", str(homeserver.config_path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == f"@{LOCALPART}:{homeserver.server_name} is closed.\n"
    assert examine(only="sign-in") == {}


def test_a_server_that_asks_for_a_second_factor_is_well_as_far_as_that(homeserver, examine):
    """It is a warning with a way on, and no alarm each night; without the rule the tokens are tried."""
    before = homeserver.module
    homeserver.module = {**before, "factors": {"policy": "required"}}
    homeserver.restart()
    try:
        (finding,) = examine(only="sign-in")["sign-in"]

        assert finding.grade is Grade.DOUBT
        assert "as far as the second factor" in finding.what
        assert "docs/setup/second-factors.md" in finding.fix
    finally:
        homeserver.module = before
        homeserver.restart()
    assert examine(only="sign-in") == {}


def its_account(homeserver):
    found = homeserver.query(
        "SELECT deactivated, user_type FROM users WHERE name = ?",
        f"@{LOCALPART}:{homeserver.server_name}",
    )
    return tuple(found[0]) if found else None


COMMAND = [sys.executable, "-m", "synapse_nextgen_auth.cli.main", "doctor"]


def closing(homeserver):
    done = subprocess.run(
        [*COMMAND, "--close", "-c", str(homeserver.config_path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_server_that_goes_half_way_leaves_a_report(homeserver, examine, monkeypatch):
    """Which says what is open, and how it is closed."""
    real = sign_in._sign_in

    def goes(patient, account):
        homeserver.stop()
        yield from real(patient, account)

    with monkeypatch.context() as patched:
        patched.setattr(sign_in, "_sign_in", goes)
        said = words(examine(only="sign-in")["sign-in"])
    homeserver.start()

    assert "is left open" in said
    assert "doctor -c … --close" in said
    assert its_account(homeserver) == (0, "bot")
    assert closing(homeserver)[0] == 0
    assert its_account(homeserver) == (1, "bot")


def test_a_signal_closes_the_account(homeserver, proxy):
    """Held where it asks to be let in, so that the account is there."""
    reached, go_on = threading.Event(), threading.Event()

    def hold(request):
        if "/authorize?" in request.path:
            reached.set()
            go_on.wait(60)

    proxy.heal()
    proxy.before = hold
    arguments = ["-c", str(homeserver.config_path), "--trust", str(proxy.certificate)]
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert reached.wait(120)
        is_open = its_account(homeserver) == (0, "bot")
        process.send_signal(signal.SIGTERM)
        go_on.set()
        said = process.communicate(timeout=120)[0]
    proxy.heal()

    assert process.returncode == 1
    assert is_open
    assert "somebody stopped it half-way" in said
    assert its_account(homeserver) == (1, "bot")


def test_nobodys_account_is_opened_or_closed(homeserver, examine):
    """Whoever registered that name has it, open or closed; and without any there is none to close."""
    name = f"@{LOCALPART}:{homeserver.server_name}"
    homeserver.query("UPDATE users SET user_type = NULL, deactivated = 1 WHERE name = ?", name)
    homeserver.restart()
    closed = words(examine(only="sign-in")["sign-in"])
    homeserver.query("UPDATE users SET deactivated = 0 WHERE name = ?", name)
    homeserver.restart()
    opened = words(examine(only="sign-in")["sign-in"])
    refused = closing(homeserver)
    theirs = its_account(homeserver)
    homeserver.query("DELETE FROM users WHERE name = ?", name)
    homeserver.restart()
    absent = closing(homeserver)

    for said in (closed, opened, refused[2]):
        assert "is the account of somebody who is called so" in said
    assert refused[0] == absent[0] == 1
    assert theirs == (0, None)
    assert "There is no account" in absent[2]
    assert "Traceback" not in refused[2] + absent[2]


@pytest.fixture
def mail_server():
    server = MailServer(user="us", password="right").start()
    yield server
    server.stop()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"smtp_pass": "wrong"}, "refuses the user and the password"),
        ({"smtp_port": 1}, "does not answer"),
        ({"force_tls": True, "enable_tls": True}, "TLS with it fails"),
        ({"require_transport_security": True, "enable_tls": True}, "offers no TLS"),
    ],
)
def test_what_is_wrong_with_the_mail_server_is_said(examine, mail_server, changes, said):
    """Nothing is sent."""
    wrong = examine(only="mail", email=mail_server.settings(**changes)).get("mail", [])

    assert (said is None and wrong == []) or said in words(wrong), wrong
    assert mail_server.mails == []


@pytest.mark.parametrize(
    ("issuer", "said"),
    [
        ("{url}/nowhere", "404"),
        ("http://127.0.0.1:1", "nothing listens"),
        ("{issuer}", "calls itself"),
    ],
)
def test_what_is_wrong_with_a_provider_is_said(homeserver, examine, issuer, said):
    """Its address, and what it calls itself."""
    url = f"http://127.0.0.1:{homeserver.main.port}"
    provider = {
        "idp_id": "company",
        "idp_name": "Company",
        "issuer": issuer.format(url=url, issuer=f"{url}{PREFIX}"),
        "client_id": "x",
        "client_secret": "a secret of some length",
    }

    wrong = examine(oidc_providers=[provider])["providers"]
    assert said in words(wrong)
    assert "proxy" not in words(wrong)


@pytest.mark.parametrize(
    ("secret", "says", "said"),
    [
        (SECRET, None, None),
        ("s" * 40, None, "does not take what is configured: invalid-input-secret"),
        (SECRET, b"<html>", "says 200, and no JSON"),
    ],
)
def test_what_is_wrong_with_the_captchas_service_is_said(examine, homeserver, secret, says, said):
    """Asked as the server asks it; the secret is repeated nowhere."""
    with Siteverify(says=says) as service:
        captcha = {
            "kind": "turnstile",
            "site_key": "1x00000000000000000000AA",
            "secret": secret,
            "siteverify": service.url,
        }
        wrong = examine(modules=_module(homeserver, captcha=captcha)).get("captcha", [])
        assert [form["secret"] for form in service.asked] == [secret]

    assert (said is None and wrong == []) or said in words(wrong), wrong
    assert secret not in words(wrong)


def test_a_captcha_whose_service_is_away_is_said(examine, homeserver):
    captcha = {
        "kind": "hcaptcha",
        "site_key": "1",
        "secret": SECRET,
        "siteverify": "http://127.0.0.1:1/siteverify",
    }
    wrong = examine(modules=_module(homeserver, captcha=captcha))["captcha"]

    assert "the service is not reached: nothing listens" in words(wrong)


def _module(homeserver, **options):
    (module,) = homeserver.settings()["modules"]
    return [{**module, "config": {**module["config"], **options}}]


def test_steps_of_the_tables_that_wait_are_said(examine, homeserver, tmp_path):
    """After an upgrade without a restart, or while an index is made; of a copy that lacks one."""
    assert "tables" not in examine(only="tables")
    copy = tmp_path / "copy.db"
    with (
        contextlib.closing(sqlite3.connect(homeserver.database.path)) as whole,
        contextlib.closing(sqlite3.connect(copy)) as other,
    ):
        whole.backup(other)
        other.execute(
            "DELETE FROM nextgen_schema WHERE version = (SELECT MAX(version) FROM nextgen_schema)"
        )
        other.commit()
    wrong = examine(database={"name": "sqlite3", "args": {"database": str(copy)}})

    assert "1 step of the tables is not done yet" in words(wrong["tables"])
