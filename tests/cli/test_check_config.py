"""check-config says everything at once, in the operator's words, and gives no secret away."""

import shutil
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
import yaml

from support import geoip
from support.brand import png
from support.check_config import templates_are_compiled_once  # noqa: F401 (a fixture)
from support.gatekeeper import Gatekeeper
from support.markdown import DOCS, fences
from support.synapse import sqlite_homeserver
from synapse_nextgen_auth.accounts.attempts.sign_ups import Demands
from synapse_nextgen_auth.cli.main import main
from synapse_nextgen_auth.cli.sign_ups import with_password
from synapse_nextgen_auth.config import OPTIONS, duration
from synapse_nextgen_auth.module import NextGenAuth
from synapse_nextgen_auth.secret import Keyring, Purpose
from synapse_nextgen_auth.store import migrations
from synapse_nextgen_auth.web import mail_texts, templates
from synapse_nextgen_auth.web.templates import shipped

MODULE = "synapse_nextgen_auth.NextGenAuth"
# Any module of somebody else: the tests bring one.
UNWILLING = f"{__name__}.Unwilling"
OPTIONAL_FOR_ALL = {"accounts": [{"matching": "@.*", "rule": "optional"}]}


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """Return the configuration of a homeserver that Synapse has been started with once."""
    homeserver = sqlite_homeserver(tmp_path_factory.mktemp("homeserver"))
    path = homeserver.write_config()
    key = homeserver.directory / "signing.key"
    key.write_text("ed25519 a_test CnNm3jKBQ5J5dxZEU0V2k4e4BqWIuOGdmvF2m6AGq2c\n")
    return path


@pytest.fixture(scope="module")
def said_before():
    """Return what was printed of settings before something else was laid over them."""
    return {}


@pytest.fixture
def check(complete, tmp_path, capsys):
    """Return a function that checks the complete configuration with something laid over it."""

    def run(**settings):
        extra = tmp_path / "extra.yaml"
        extra.write_text(yaml.safe_dump(settings))
        code = main(["check-config", str(complete), str(extra)])
        return code, capsys.readouterr().out

    return run


def ours(**options):
    return [{"module": MODULE, "config": options}]


def test_a_good_configuration_is_ok_and_nothing_is_written(complete, check):
    before = sorted(complete.parent.iterdir())
    code, printed = check()

    assert code == 0
    assert printed.startswith("OK\n")
    assert "/_synapse/client/auth/\n" in printed
    assert "access token lifetime  5m" in printed
    assert "session, idle          no limit" in printed
    assert sorted(complete.parent.iterdir()) == before


def test_nothing_is_said_but_what_is_about_the_configuration(complete):
    """Synapse's libraries warn its developers, whoever imports them."""
    asked = (
        "import sys; from synapse_nextgen_auth.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", asked, "check-config", str(complete)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.startswith("OK\n")
    assert done.stderr == ""


def test_synapses_own_lifetimes_are_honoured(check):
    code, printed = check(refreshable_access_token_lifetime="7m", session_lifetime="48h")

    assert code == 0
    assert "access token lifetime  7m" in printed
    assert "session, in all        2d" in printed


def _examples():
    """Return each option of the reference with the example that stands there."""
    for option in OPTIONS:
        yield tuple(option.path.split(".")), yaml.safe_load(option.example)


@pytest.mark.parametrize(("path", "example"), list(_examples()))
def test_every_option_that_is_set_shows(check, said_before, tmp_path, path, example):
    """Whoever changes an option finds it among the settings in effect."""
    file = tmp_path / "secret"
    file.write_text("a secret of at least thirty-two characters")
    towns = tmp_path / "towns.mmdb"
    towns.write_bytes(geoip.database({}))
    logo = tmp_path / "logo.png"
    logo.write_bytes(png())
    client = {"client_id": "grafana", "redirect_uris": ["https://grafana.example.com/cb"]}
    client["client_secret_path"] = str(file)
    given = {
        "secret_path": str(file),
        "clients": [client],
        "templates": str(tmp_path),
        "mail.templates": str(tmp_path),
        "passwords.breached_list": str(file),
        "captcha.secret_path": str(file),
        "geoip.database": str(towns),
        **{f"branding.{name}": str(logo) for name in ("logo", "logo_dark", "favicon")},
    }
    if path == ("resource_servers",):
        given["resource_servers"] = [each | {"client_secret_path": str(file)} for each in example]
    example = given.get(".".join(path), example)
    base = {"clients": [client]} if path == ("pkce_exempt",) else {}
    if path in {("branding", "logo_dark"), ("branding", "show_name")}:
        base["branding"] = {"logo": str(logo)}

    if str(base) not in said_before:
        _, said_before[str(base)] = check(modules=ours(**base))
    before = said_before[str(base)]
    options = {path[0]: {**base.get(path[0], {}), path[1]: example} if path[1:] else example}
    trusted = path in {("providers", "trusted_to_be_fresh"), ("factors", "providers")}
    named = [OAUTH_ONLY | {"idp_id": name} for name in example] if trusted else []
    here = {"server_name": "example.com"} if path == ("factors", "accounts") else {}
    code, printed = check(modules=ours(**{**base, **options}), oidc_providers=named, **here)

    assert code == 0, printed
    assert base or str(tmp_path) not in before
    assert printed != before
    assert "thirty-two" not in printed


def test_our_mistakes_and_synapses_settings_are_told_at_once(check):
    code, printed = check(
        modules=ours(tokns={}, tokens={"code_lifetime": 5}),
        public_baseurl="http://matrix.example.com",
    )

    assert code == 1
    assert "* modules[0].config.tokns: unknown option; did you mean tokens?\n" in printed
    assert "* modules[0].config.tokens.code_lifetime: expected a duration" in printed
    assert "* public_baseurl http://matrix.example.com/ must begin with https://" in printed


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"modules": []}, f"* modules: the line `- module: {MODULE}` is missing\n"),
        ({"modules": {"module": MODULE}}, "* modules: expected a list"),
        ({"modules": ours() * 2}, f"* modules: {MODULE} is there 2 times; once is enough\n"),
        ({"modules": [*ours(), {"module": "nix.Da"}]}, "No module named 'nix'"),
        ({"modules": [{"module": MODULE, "config": ["a"]}]}, "* modules[0].config: expected opt"),
        ({"rc_login": "often"}, "* Synapse cannot read its ratelimiting settings: AttributeError"),
        ({"server_name": 12}, "Invalid server name '12'"),
        (
            {"modules": ours(geoip={"database": "/nowhere.mmdb"})},
            "* modules[0].config.geoip.database: cannot read /nowhere.mmdb",
        ),
        (
            {"modules": ours(mail={"templates": "/nowhere"})},
            "* modules[0].config.mail.templates: cannot read the directory /nowhere",
        ),
        (
            {"modules": ours(branding={"logo": "/nowhere.svg"})},
            "* modules[0].config.branding.logo: cannot read /nowhere.svg: No such file",
        ),
        (
            {"modules": ours(geoip={"database": ""})},
            "* modules[0].config.geoip.database: expected a text, got an empty text",
        ),
        (
            {"modules": ours(languages={"default": "de-CH", "time_zone": "Europe/Berlinn"})},
            "* modules[0].config.languages.default: there are no pages in 'de-CH'; did you mean de?\n"
            "* modules[0].config.languages.time_zone: no time zone is called 'Europe/Berlinn'; did you"
            " mean Europe/Berlin?",
        ),
        (
            {"modules": ours(languages={"default": False})},
            "* modules[0].config.languages.default: expected a text, got true or false: put it in",
        ),
        (
            {"modules": ours(languages={"default": "no"})},
            "* modules[0].config.languages.default: there are no pages in 'no'; did you mean nb?",
        ),
        (
            {"modules": ours(languages={"default": "DE"})},
            "* modules[0].config.languages.default: there are no pages in 'DE'; did you mean de?",
        ),
        (
            {"modules": ours(languages={"default": "zh-TW"})},
            "* modules[0].config.languages.default: there are no pages in 'zh-TW'; did you mean zh-H",
        ),
        (
            {"modules": ours(languages={"default": "xx"})},
            "* modules[0].config.languages.default: there are no pages in 'xx'; there are in ar, ",
        ),
        (
            {"modules": ours(account={"fresh_for": "1s"})},
            "* modules[0].config.account.fresh_for: expected at least 30s, got 1s",
        ),
        (
            {"modules": ours(captcha={"kind": "recaptcha"})},
            "* modules[0].config.captcha.kind is recaptcha: set",
        ),
    ],
)
def test_a_mistake_of_any_kind_is_a_sentence(check, settings, complaint):
    code, printed = check(**settings)

    assert code == 1
    assert complaint in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    "settings",
    [
        {"oidc_providers": [{"idp_id": "x", "client_secret": "geheim"}]},
        {"matrix_authentication_service": {"enabled": True, "secret": ["geheim"]}},
        {"modules": ours(secret="geheim")},
        {"modules": ours(secret=["geheim"])},
        {"turn_shared_secret": {"geheim": "geheim"}, "modules": []},
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(check, settings):
    code, printed = check(**settings)

    assert code == 1
    assert "geheim" not in printed


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {
                "clients": [
                    {
                        "client_id": "a",
                        "redirect_uris": ["https://a.example/cb"],
                        "token_endpoint_auth_method": "client_secret_post",
                    }
                ]
            },
            "token_endpoint_auth_method client_secret_post needs client_secret",
        ),
        ({"tokens": {"access_token_lifetime": "10 minutes"}}, "got '10 minutes'"),
        (
            {"resource_servers": [{"token_format": "paseto"}]},
            "token_format: expected jwt or opaque, got 'paseto'",
        ),
        (
            {
                "resource_servers": [
                    {
                        "resource": "https://calendar.example/",
                        "name": "Calendar",
                        "scopes": {"calendar.read": "See your appointments"},
                        "token_format": "opaque",
                    }
                ]
            },
            "token_format opaque takes client_id and a secret or jwks, to ask by",
        ),
        (
            {"legacy_login": {"password": "sometimes"}},
            "legacy_login.password: expected always, until_first_session or never, got 'sometimes'",
        ),
        (
            {"legacy_login": {"password": "until_first_session", "sso": "until_first_session?"}},
            "legacy_login.sso: expected always, until_first_session or never, got",
        ),
    ],
)
def test_what_is_no_secret_is_shown(check, options, words):
    """Though its name has the word token in it: the message would say nothing without it."""
    _, printed = check(modules=ours(**options))

    assert words in printed


def test_files_that_cannot_be_read_are_all_named(tmp_path, capsys):
    broken, empty = tmp_path / "broken.yaml", tmp_path / "conf.d"
    broken.write_text("form_secret: 'geheim")
    empty.mkdir()
    code = main(["check-config", str(broken), str(empty), str(tmp_path / "missing.yaml")])
    printed = capsys.readouterr().out

    assert code == 1
    assert f"* {broken}, line 1, column 21: " in printed
    assert f"* {empty}: no *.yaml file in this directory\n" in printed
    assert f"* {tmp_path}/missing.yaml: No such file or directory\n" in printed
    assert "geheim" not in printed


def test_a_directory_of_files_is_one_configuration(complete, tmp_path, capsys):
    (tmp_path / "20-more.yaml").write_text("session_lifetime: 24h")
    (tmp_path / "10-base.yaml").write_text(complete.read_text())

    assert main(["check-config", str(tmp_path)]) == 0
    assert "session, in all        1d" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "no limit"), (0, "0s"), (30, "30s"), (90, "90s"), (300, "5m"), (86400, "1d")],
)
def test_durations_are_written_as_options_take_them(seconds, words):
    assert duration(seconds) == words


def entry(beside=None, **options):
    return [{"module": MODULE, "config": options, **(beside or {})}]


PROXIED = {"public_baseurl": "https://matrix.example.com/"}
LISTENER = {"type": "http", "port": 8008, "tls": False}
CLIENT = {"resources": [{"names": ["client", "federation"]}]}


SERVICE = {"site_key": "1", "secret": "s" * 40}
PROGRAM = {
    "client_id": "backup",
    "client_secret": "a secret of some length, of a program",
    "redirect_uris": [],
    "grant_types": ["client_credentials"],
    "service_account": "backup",
    "scope": "urn:matrix:client:api:* urn:synapse:admin:*",
}
OAUTH_ONLY = {
    "idp_id": "forge",
    "idp_name": "Forge",
    "issuer": "https://forge.example.com/",
    "discover": False,
    "client_id": "us",
    "client_secret": "not-told-to-anybody",
    "scopes": ["read:user"],
    "authorization_endpoint": "https://forge.example.com/authorize",
    "token_endpoint": "https://forge.example.com/token",
    "userinfo_endpoint": "https://forge.example.com/user",
    "user_mapping_provider": {"config": {"subject_claim": "id"}},
}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"listeners": [LISTENER | CLIENT], **PROXIED}, "listeners[0].x_forwarded is false"),
        ({"listeners": [LISTENER | {"resources": [{"names": ["federation"]}]}]}, "listeners: none"),
        (
            {"macaroon_secret_key": None, "registration_shared_secret": "r" * 40},
            "come from registration_shared_secret, and",
        ),
        (
            {"macaroon_secret_key": None, "registration_shared_secret": None},
            "come from the signing key, and",
        ),
        (
            {"modules": entry({"tokns": {}})},
            "modules[0].tokns is ignored: options stand below config",
        ),
        ({"modules": entry({"confg": {}})}, "did you mean config?"),
        (
            {
                "password_config": {"localdb_enabled": False},
                "modules": [*entry(), {"module": UNWILLING}],
            },
            "password_config.localdb_enabled is false: people can sign in only if another module",
        ),
        (
            {"modules": entry(sessions={"idle_lifetime": "9w", "lifetime": "1w"})},
            "modules[0].config.sessions.idle_lifetime is 9w, longer than sessions.lifetime, 1w",
        ),
        (
            {"modules": entry(sessions={"browser_idle_lifetime": "1y"})},
            "sessions.browser_idle_lifetime is 1y, longer than sessions.browser_lifetime, 90d",
        ),
        (
            {"modules": entry(events={"lifetime": "1d", "address_lifetime": "2d"})},
            "events.address_lifetime is 2d, longer than events.lifetime, 1d",
        ),
        (
            {"session_lifetime": "2m", "modules": entry(tokens={"access_token_lifetime": "1h"})},
            "modules[0].config.tokens.access_token_lifetime is 1h, longer than session_lifetime, 2m",
        ),
        (
            {"refreshable_access_token_lifetime": "2d"},
            "Warning: refreshable_access_token_lifetime is 2d: that long a stolen token works",
        ),
        (
            {"modules": entry(tokens={"code_lifetime": "24h"})},
            "modules[0].config.tokens.code_lifetime is 24h, and a code is redeemed in a second",
        ),
        (
            {
                "modules": entry(
                    step_up={"requests": [{"path": "admin_api", "max_age": "1h"}]},
                    legacy_login={"password": "never"},
                )
            },
            "signs in the old way (legacy_login.sso, legacy_login.jwt) has a token of Synapse's own",
        ),
        (
            {
                "modules": entry(
                    factors={"policy": "optional"},
                    step_up={"requests": [{"path": "admin_api", "factors": 2}]},
                    clients=[PROGRAM],
                )
            },
            "so it may never do what administrators do",
        ),
        (
            {
                "modules": entry(
                    step_up={"requests": [{"path": "admin_api", "max_age": "1h"}]},
                    clients=[PROGRAM],
                )
            },
            "so it may do what administrators do only for that long after its session began",
        ),
        (
            {"modules": entry(tokens={"access_token_lifetime": "100y"})},
            "tokens.access_token_lifetime is 100y: that long a stolen token works",
        ),
        (
            {
                "modules": entry(
                    passwords={
                        "hashing": "argon2id",
                        "argon2_memory": 131072,
                        "argon2_iterations": 1000,
                    }
                )
            },
            "argon2_memory is 131072 KiB and passwords.argon2_iterations 1000: one password takes",
        ),
        (
            {"modules": entry(passwords={"argon2_iterations": 3})},
            "passwords.argon2_iterations is set, and passwords.hashing is not argon2id",
        ),
        (
            {"password_config": {"enabled": False}, "oidc_providers": [OAUTH_ONLY]},
            "oidc_providers: Forge (forge) without the scope openid, and people have no other way in",
        ),
        (
            {"modules": entry(sign_in={"email_codes": True})},
            "modules[0].config.sign_in.email_codes is true, and there is no section email",
        ),
        (
            {"modules": entry(mail={"templates": str(shipped() / "emails")})},
            "modules[0].config.mail.templates is set, and there is no section email",
        ),
        *(
            ({"modules": entry(notices={name: True})}, f"modules[0].config.notices.{name} is true")
            for name in ("by_mail", "in_matrix", "approval_questions", "device_questions")
        ),
        (
            {
                "modules": entry(notices={"in_matrix": False, "device_questions": True}),
                "server_notices": {"system_mxid_localpart": "notices"},
            },
            "notices.device_questions is true, and notices.in_matrix is false",
        ),
        (
            {"modules": entry(factors={"policy": "optional", "lost_wait": "7d"})},
            "factors.lost_wait is set, and there is neither a section email nor server_notices",
        ),
        (
            {
                "modules": entry(factors={"policy": "optional", "lost_wait": "7d"}),
                "server_notices": {"system_mxid_localpart": "notices"},
            },
            "factors.lost_wait is set, and there is no section email: only accounts that have a",
        ),
        (
            {"modules": entry(factors={"lost_wait": "7d", "lost_by_mail": True})},
            "factors.lost_by_mail is true, and there is no section server_notices",
        ),
        *(
            (
                {"modules": entry(factors={name: True})},
                f"factors.{name} is true, and factors.lost_wait is 0s",
            )
            for name in ("lost_by_mail", "lost_admins")
        ),
        *(
            (
                {"modules": entry(factors={"admins": "required", "grace_period": "14d"} | more)},
                "modules[0].config.factors.grace_period is for nobody: factors.admins gives none",
            )
            for more in ({}, {"policy": "optional"}, OPTIONAL_FOR_ALL)
        ),
        ({"modules": entry(tokens={"refresh_grace": "1h"})}, "tokens.refresh_grace is 1h, longer"),
        (
            {"modules": entry(captcha={"work": 18})},
            "modules[0].config.captcha.work is set, and captcha.kind is not proof_of_work",
        ),
        (
            {"modules": entry(captcha={"wait": "1m", "kind": "turnstile"} | SERVICE)},
            "captcha.wait is set, and captcha.kind is not proof_of_work",
        ),
        (
            {"modules": entry(captcha={"site_key": "1", "kind": "proof_of_work"})},
            "captcha.site_key is set, and captcha.kind is not hcaptcha or turnstile",
        ),
        (
            {"modules": entry(passwords={"breached_on_failure": "refuse"})},
            "passwords.breached_on_failure is set, and neither passwords.breached_list nor",
        ),
        (
            {"modules": entry(invitations={"members_quota": 2})},
            "invitations.members_quota is set, and invitations.members is false",
        ),
        (
            {"modules": entry(invitations={"members": True})},
            "invitations.members is true, and nobody is asked for a registration token",
        ),
        (
            {"modules": entry(client_registration={"enabled": False, "allow_other_hosts": True})},
            "client_registration.allow_other_hosts is set, and client_registration.enabled is false",
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_hardly_anybody_wants_is_a_warning(check, settings, words):
    """With its path, below the settings in effect; Synapse starts with it."""
    code, printed = check(**settings)

    assert code == 0, printed
    assert printed.startswith("OK\n")
    (line,) = [line for line in printed.splitlines() if words in line]
    assert line.startswith("* Warning: ")


@pytest.mark.parametrize(
    "factors",
    [
        {"policy": "required", "admins": "required"},
        {"accounts": [{"users": ["anna"], "rule": "required"}], "admins": "required"},
        {"accounts": [{"users": ["anna"], "rule": "required"}]},
    ],
    ids=str,
)
def test_a_grace_period_that_somebody_has_is_no_warning(check, factors):
    """Whoever has it is no administrator, or `admins` does not ask them for a factor."""
    code, printed = check(modules=ours(factors=factors | {"grace_period": "14d"}))

    assert code == 0
    assert "factors.grace_period is for nobody" not in printed


def test_a_good_configuration_has_no_warnings(check):
    """Also behind a proxy that says who comes."""
    _, plain = check()
    _, proxied = check(listeners=[LISTENER | CLIENT | {"x_forwarded": True}], **PROXIED)
    _, tls = check(listeners=[LISTENER | CLIENT | {"tls": True}], **PROXIED)

    assert "Warning" not in plain + proxied
    assert "x_forwarded" not in tls


@pytest.mark.parametrize(
    "settings",
    [
        {"modules": ours(events={"lifetime": "7d"})},
        {"modules": ours(sessions={"browser_lifetime": "1d"})},
        {"modules": ours(tokens={"access_token_lifetime": "10s"})},
        {"modules": ours(sessions={"lifetime": "2m"})},
        {"session_lifetime": "2m"},
    ],
    ids=str,
)
def test_nobody_is_warned_of_a_default(check, settings):
    """It stands in no file, so there is nothing to lower."""
    code, printed = check(**settings)

    assert code == 0, printed
    assert "Warning" not in printed


def test_nobody_is_warned_of_what_could_not_be_read(check):
    """Then the defaults are there, and the warning would not be true."""
    invitations = {"members": True, "members_quota": 2}
    code, printed = check(modules=ours(invitations=invitations, notices={"by_mail": "yes"}))

    assert code == 1
    assert "* modules[0].config.notices.by_mail: expected true or false" in printed
    assert "members_quota" not in printed


def test_a_lifetime_is_shown_as_it_was_written(check):
    """Among the settings in effect, too."""
    _, printed = check(modules=ours(events={"lifetime": "1y"}, sessions={"idle_lifetime": "2w"}))

    assert "events kept            1y\n" in printed
    assert "session, idle          2w\n" in printed
    assert "addresses kept         28d\n" in printed


def test_an_interval_that_no_device_can_live_with_is_an_error(check):
    """No device would ever collect its tokens."""
    code, printed = check(modules=ours(device_grants={"interval": "30m"}))

    assert code == 1
    assert "* modules[0].config.device_grants.interval: with an interval of 30m and" in printed


def test_an_idle_limit_that_is_too_short_is_told_with_its_whole_path(check):
    """Like every other mistake; an option of Synapse's has none above it."""
    code, printed = check(
        modules=ours(sessions={"idle_lifetime": "300s"}), refresh_token_lifetime="200s"
    )

    assert code == 1
    assert "* modules[0].config.sessions.idle_lifetime is 300s, and a session in use" in printed
    assert "* refresh_token_lifetime is 200s, and a session in use" in printed


def test_the_true_source_of_the_keys_is_told(check):
    """Where `macaroon_secret_key` is not set, Synapse takes something else without a word."""
    _, of_registration = check(macaroon_secret_key=None, registration_shared_secret="r" * 40)
    _, of_signing_key = check(macaroon_secret_key=None, registration_shared_secret=None)
    code, short = check(macaroon_secret_key=None, registration_shared_secret="a-short-secret")
    _, own = check(macaroon_secret_key=None, modules=ours(secret="s" * 40))

    assert "keys derived from      Synapse's registration_shared_secret\n" in of_registration
    assert "keys derived from      Synapse's signing key\n" in of_signing_key
    assert (code, "* registration_shared_secret is shorter than 32 bytes" in short) == (1, True)
    assert "a-short-secret" not in short
    assert "Warning" not in own


def test_an_option_beside_the_module_line_is_an_error(check):
    """Synapse ignores it in silence; the start is refused for it, too."""
    code, printed = check(modules=entry({"tokens": {"code_lifetime": "1m"}, "enabled": False}))

    assert code == 1
    assert "* modules[0].tokens stands beside module: and is ignored there." in printed
    assert "* modules[0].enabled stands beside module:" in printed


def test_relative_paths_are_looked_for_elsewhere(check, tmp_path, monkeypatch):
    """Where Synapse is started is not where this is typed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mails").mkdir()
    (tmp_path / "breached.bin").write_text("password\n")
    (tmp_path / "logo.png").write_bytes(png())
    for name in ("module.secret", "client.secret", "captcha.secret"):
        (tmp_path / name).write_text("a secret of at least thirty-two characters")
    client = {"client_id": "a", "redirect_uris": ["https://a.example/cb"]}
    options = {"secret_path": "module.secret", "clients": [client, client | {"client_id": "b"}]}
    options["clients"][1]["client_secret_path"] = "client.secret"
    options["captcha"] = {"kind": "turnstile", "site_key": "1", "secret_path": "captcha.secret"}
    options["passwords"] = {"breached_list": "breached.bin"}
    options["mail"] = {"templates": "mails"}
    options["branding"] = {"logo": "logo.png"}
    code, printed = check(
        modules=ours(**options),
        database={"name": "sqlite3", "args": {"database": "homeserver.db"}},
    )

    assert code == 0
    for path, file in (
        ("modules[0].config.secret_path", "module.secret"),
        ("modules[0].config.clients[1].client_secret_path", "client.secret"),
        ("modules[0].config.captcha.secret_path", "captcha.secret"),
        ("modules[0].config.passwords.breached_list", "breached.bin"),
        ("modules[0].config.mail.templates", "mails"),
        ("modules[0].config.branding.logo", "logo.png"),
        ("database.args.database", "homeserver.db"),
    ):
        assert f"* Warning: {path} is {file}, which is looked for wherever" in printed
        assert f"would be {tmp_path}/{file}. Write the whole path." in printed


def test_all_that_is_wrong_with_a_brand_is_said_at_once(check, tmp_path):
    """What is written and what is in the files, in each of them, as at a start of Synapse."""
    for name in ("logo", "icon"):
        (tmp_path / f"{name}.svg").write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" onload="x()" viewBox="0 0 90 9"><script/></svg>'
        )
    brand = {
        "accent": "purpel",
        "logo": f"{tmp_path}/logo.svg",
        "logo_dark": "/nowhere.svg",
        "favicon": f"{tmp_path}/icon.svg",
    }
    code, printed = check(modules=ours(branding=brand))
    said = [each.partition("branding.")[2] for each in printed.splitlines() if "branding." in each]

    assert code == 1
    wrong = ("has <svg onload>, which is not taken", "has the element <script>, which is not taken")
    beginnings = [
        "accent: ",
        *(f"logo: {tmp_path}/logo.svg {each}" for each in wrong),
        "logo_dark: cannot read /nowhere.svg: ",
        *(f"favicon: {tmp_path}/icon.svg {each}" for each in wrong),
    ]
    assert len(said) == len(beginnings)
    for line, beginning in zip(said, beginnings, strict=True):
        assert line.startswith(beginning)
    with pytest.raises(Exception, match="found these mistakes") as refused:
        NextGenAuth.parse_config({"branding": brand})
    for each in said:
        assert f"* branding.{each}" in str(refused.value)


def test_other_sections_and_colours_do_not_wait_until_a_brand_is_right(check):
    """Mistakes of languages and colours that cannot be read are told beside those of options."""
    languages = {"default": "tlh", "time_zone": "Europe/Berln"}
    options = {"branding": {"name": [], "accent": "#ffff00"}, "languages": languages}
    code, printed = check(modules=ours(**options))

    assert code == 1
    assert "* modules[0].config.branding.name: " in printed
    wrong = [
        "languages.default: there are no pages in 'tlh'; there are in",
        "languages.time_zone: no time zone is called 'Europe/Berln'; did you mean Europe/Berlin?",
    ]
    assert all(f"* modules[0].config.{each}" in printed for each in wrong)
    assert "* Warning: modules[0].config.branding.accent: #ffff00 as a button in light" in printed
    with pytest.raises(Exception, match="found these mistakes") as refused:
        NextGenAuth.parse_config(options)
    assert all(f"* {each}" in str(refused.value) for each in wrong)


def test_a_colour_that_cannot_be_read_is_a_warning(check):
    """With what is used instead; the server starts all the same."""
    code, printed = check(modules=ours(branding={"accent": "#f5c400"}))

    assert code == 0
    assert "accent colour          #f5c400 (light)\n" in printed
    assert (
        "* Warning: modules[0].config.branding.accent: #f5c400 cannot be read as a link" in printed
    )
    assert "* Warning: modules[0].config.branding.accent: #f5c400 as a button in light" in printed


def test_c225_a_secret_in_the_place_of_its_path_is_nowhere_in_the_report(check):
    """Neither what is wrong with it nor the warning about relative paths says it."""
    secret, other = "kD93jfh2LqpA81nzXv7TbWm4RyUe60sG", "Qz71mNbv5cXs2aWe8rTy4uIo9pLk3jHg"
    client = {"client_id": "a", "redirect_uris": ["https://a.example/cb"]}
    options = {"secret_path": secret, "clients": [client | {"client_secret_path": other}]}

    code, printed = check(modules=ours(**options))

    assert code == 1
    assert "modules[0].config.secret_path: cannot read the file of this name" in printed
    assert secret not in printed
    assert other not in printed


@pytest.mark.parametrize(
    "switch", [{"enabled": False}, {"enabled": "only_for_reauth"}, {"localdb_enabled": False}]
)
def test_a_server_where_nobody_could_sign_in_is_an_error(check, switch):
    """Though Synapse starts: it does so with a warning."""
    code, printed = check(password_config=switch)
    off, _ = check(password_config=switch, modules=ours(enabled=False))

    assert code == 1
    assert "* password_config: nobody can sign in on the pages of this module" in printed
    assert off == 0


@pytest.mark.parametrize(
    ("switch", "advice"),
    [
        ({"enabled": False}, "Set password_config.enabled to true, or configure"),
        (
            {"localdb_enabled": False},
            "Set password_config.localdb_enabled to true, add a module that checks passwords, or",
        ),
    ],
)
def test_what_helps_where_nobody_could_sign_in_is_told(check, switch, advice):
    """No module that checks passwords where none is asked; identity providers always."""
    _, printed = check(password_config=switch)

    (line,) = printed.splitlines()
    assert advice in line
    assert "an identity provider (oidc_providers, saml2_config or cas_config)" in line
    assert ("add a module" in line) == ("localdb_enabled" in switch)


@pytest.mark.parametrize(
    "settings",
    [
        {"password_config": {"localdb_enabled": False}, "modules": "gatekeeper"},
        {"password_config": {"localdb_enabled": False}, "oidc_providers": [OAUTH_ONLY]},
        {
            "password_config": {"enabled": False},
            "email": {"smtp_host": "127.0.0.1", "notif_from": "a@example.com"},
            "modules": ours(sign_in={"email_codes": True}),
        },
    ],
    ids=str,
)
def test_who_can_sign_in_is_not_doubted_where_a_way_in_is_known(check, settings):
    """A module that was asked, a provider, or codes that go to people's addresses."""
    if settings.get("modules") == "gatekeeper":
        settings = {**settings, "modules": [*ours(), module(Gatekeeper)]}
    code, printed = check(**settings)

    assert code == 0, printed
    assert "only if another module" not in printed


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"password_config": {"enabled": "only_for_reauth"}},
        {"modules": ours(providers={"trusted_to_be_fresh": ["forge"]})},
        {"oidc_providers": [OAUTH_ONLY | {"scopes": ["openid"]}]},
    ],
    ids=lambda value: str(value)[:60],
)
def test_nobody_is_warned_of_a_provider_where_people_can_confirm_otherwise(check, settings):
    """By a password, by an OpenID provider, or because the operator trusts it."""
    if "oidc_providers" in settings or "modules" in settings:
        settings = {"password_config": {"enabled": False}, **settings}
    code, printed = check(**{"oidc_providers": [OAUTH_ONLY], **settings})

    assert code == 0, printed
    assert "without the scope openid" not in printed


class Unwilling:
    """A module that wants a whole Synapse to be made."""

    def __init__(self, config, api):
        raise RuntimeError(str(api.of.no.use()) + " on purpose")


class Bystander:
    """A module that checks nobody."""

    def __init__(self, config, api):
        self.rooms = api.public_room_list_manager["of"]
        api.register_spam_checker_callbacks(user_may_invite=self)


class OfOldKind:
    """A password provider as Synapse had them before modules."""

    def __init__(self, config, account_handler):
        pass

    @staticmethod
    def parse_config(config):
        return config

    def get_supported_login_types(self):
        return {"com.example.old": ("word",)}

    async def check_password(self, user_id, password):
        return False


def module(kind):
    return {"module": f"{kind.__module__}.{kind.__qualname__}", "config": {}}


LOCALDB_OFF = {"localdb_enabled": False}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "password (Synapse)"),
        (
            {"modules": [*ours(), module(Gatekeeper)]},
            "password (Synapse and support.gatekeeper.Gatekeeper),"
            " com.example.otp (support.gatekeeper.Gatekeeper)",
        ),
        (
            {"modules": [*ours(), module(Gatekeeper)], "password_config": LOCALDB_OFF},
            "password (support.gatekeeper.Gatekeeper),"
            " com.example.otp (support.gatekeeper.Gatekeeper)",
        ),
        (
            {"modules": [*ours(), module(Gatekeeper)], "password_config": {"enabled": False}},
            "com.example.otp (support.gatekeeper.Gatekeeper)",
        ),
        ({"modules": [*ours(), module(Bystander)]}, "password (Synapse)"),
        (
            {"modules": [*ours(), module(Unwilling)], "password_config": LOCALDB_OFF},
            f"what {__name__}.Unwilling may check",
        ),
        (
            {"password_providers": [module(OfOldKind)], "password_config": LOCALDB_OFF},
            f"password ({__name__}.OfOldKind), com.example.old ({__name__}.OfOldKind)",
        ),
    ],
)
def test_the_ways_in_are_named_with_who_checks_them(check, settings, words):
    code, printed = check(**settings)

    assert code == 0, printed
    (line,) = (line for line in printed.splitlines() if line.startswith("  ways in "))
    assert line.removeprefix("  ways in").strip() == words


def test_what_no_person_can_be_asked_for_is_named(check):
    """Applications may still sign in by it, with Synapse's own `/login`."""
    _, printed = check(modules=[*ours(), module(Gatekeeper)])

    assert (
        "* Warning: modules: com.example.shared_secret cannot be asked for on the sign-in page:"
        " nobody can type its token."
    ) in printed


def test_a_module_that_checks_nobody_is_no_way_in(check):
    """It is asked, and so no longer taken for one that may."""
    code, printed = check(modules=[*ours(), module(Bystander)], password_config=LOCALDB_OFF)

    assert code == 1
    assert "nobody can sign in on the pages of this module" in printed


def test_all_is_told_beside_each_other(check):
    """Errors of the module and of Synapse's settings, then the warnings."""
    code, printed = check(
        password_config={"enabled": False},
        modules=ours(tokens={"code_lifetime": "1d"}),
        database={"name": "sqlite3", "args": {"database": ":memory:"}},
    )

    assert code == 1
    lines = printed.splitlines()
    assert [line.startswith("* Warning") for line in lines] == [False, False, True]
    assert "database.args.database names an SQLite database in memory" in lines[0]


def look(capsys, *files):
    code = main(["check-config", "--database", *map(str, files)])
    return code, capsys.readouterr().out


def test_what_people_lose_with_another_address_or_secret_is_said(complete, capsys):
    """Passkeys of another host, and authenticator apps that no key opens; and what is fine is not."""
    homeserver = sqlite_homeserver(complete.parent)
    assert main(["create-tables", str(complete)]) == 0
    capsys.readouterr()
    raw = yaml.safe_load(complete.read_text())
    here = urlsplit(raw["public_baseurl"]).hostname
    keys = Keyring.of(raw["macaroon_secret_key"].encode()), Keyring.of(b"another")
    for name, site in (("one", here), ("two", "old.example.com"), ("three", "old.example.com")):
        homeserver.query(
            "INSERT INTO nextgen_passkeys (credential_id, user_id, user_handle, rp_id, public_key,"
            " name, made_at, sign_count, may_sync, is_synced, is_verified, transports)"
            " VALUES (?, '@a:b', 'h', ?, 'k', 'n', 1, 0, 0, 0, 1, '')",
            *(name, site),
        )
    for number, ring in enumerate(keys):
        homeserver.query(
            "INSERT INTO nextgen_totp_apps (app_id, user_id, secret, name, made_at, confirmed_at)"
            " VALUES (?, '@a:b', ?, 'n', 1, 1)",
            *(f"app {number}", ring.seal(Purpose.TOTP, b"secret")),
        )

    code, said = look(capsys, complete)
    homeserver.database.path.unlink()

    assert code == 0
    assert "passkeys that were made at old.example.com (2) do not work at" in said
    assert f"made at {here}" not in said
    assert "secret: 1 of 2 authenticator apps were set up under another secret" in said


def test_who_has_codes_by_mail_that_nobody_sends_is_said(complete, capsys):
    """How many, and how many of them have nothing else; an address that is gone counts for nothing."""
    homeserver = sqlite_homeserver(complete.parent)
    assert main(["create-tables", str(complete)]) == 0
    homeserver.query("CREATE TABLE user_threepids (user_id TEXT, medium TEXT, address TEXT)")
    homeserver.query(
        "INSERT INTO nextgen_totp_apps (app_id, user_id, secret, name, made_at, confirmed_at)"
        " VALUES ('app', '@one:b', 's', 'n', 1, 1)"
    )
    for name in ("one", "two", "gone"):
        homeserver.query(
            "INSERT INTO nextgen_factor_mail (user_id, address, made_at) VALUES (?, ?, 1)",
            *(f"@{name}:b", f"{name}@example.com"),
        )
        if name != "gone":
            homeserver.query(
                "INSERT INTO user_threepids VALUES (?, 'email', ?)",
                *(f"@{name}:b", f"{name}@example.com"),
            )
    capsys.readouterr()
    code, said = look(capsys, complete)
    homeserver.database.path.unlink()

    assert code == 0
    assert "factors.email_codes: 2 accounts have codes by e-mail as a second factor, 1 of" in said


def test_who_has_nothing_but_a_passkey_is_said_where_nobody_is_offered_one(
    complete, tmp_path, capsys
):
    """Without second factors no page signs in by a passkey; with them there is nothing to say."""
    extra = tmp_path / "extra.yaml"
    extra.write_text(yaml.safe_dump({"modules": ours(factors={"admins": "optional"})}))
    homeserver = sqlite_homeserver(complete.parent)
    assert main(["create-tables", str(complete)]) == 0
    homeserver.query("CREATE TABLE user_threepids (user_id TEXT, medium TEXT, address TEXT)")
    homeserver.query("CREATE TABLE user_external_ids (user_id TEXT, auth_provider TEXT)")
    homeserver.query(
        "CREATE TABLE users (name TEXT, password_hash TEXT, deactivated SMALLINT NOT NULL DEFAULT 0)"
    )
    for name, password, is_closed, is_verified in (
        ("alone", None, 0, 1),
        ("mail", "", 0, 1),
        ("password", "hash", 0, 1),
        ("provider", None, 0, 1),
        ("closed", None, 1, 1),
        ("beside", None, 0, 0),
    ):
        homeserver.query("INSERT INTO users VALUES (?, ?, ?)", f"@{name}:b", password, is_closed)
        homeserver.query(
            "INSERT INTO nextgen_passkeys (credential_id, user_id, user_handle, rp_id, public_key,"
            " name, made_at, sign_count, may_sync, is_synced, is_verified, transports)"
            " VALUES (?, ?, 'h', 'example.com', 'k', 'n', 1, 0, 0, 0, ?, '')",
            *(name, f"@{name}:b", is_verified),
        )
    homeserver.query("INSERT INTO user_threepids VALUES ('@mail:b', 'email', 'mail@example.com')")
    homeserver.query("INSERT INTO user_external_ids VALUES ('@provider:b', 'oidc-keycloak')")
    capsys.readouterr()
    code, said = look(capsys, complete)
    with_factors = look(capsys, complete, extra)
    (named,) = [
        text for kind, text in fences(DOCS / "setup" / "second-factors.md") if kind == "sql"
    ]
    found = [tuple(row) for row in homeserver.query(named)]
    homeserver.database.path.unlink()

    assert code == with_factors[0] == 0
    assert "factors.policy is off, and 2 accounts have a passkey and neither a password nor" in said
    assert "1 of them no e-mail address" in said
    assert "neither a password" not in with_factors[1]
    assert found == [("@alone:b", 0), ("@mail:b", 1)]


def test_rules_about_nobody_are_said(complete, tmp_path, capsys):
    """By the names in the database, in any case, as a rule reads them; closed accounts are nobody's."""
    rules = [
        {"users": ["anna", "@BEN:localhost", "closed", "nobody"], "rule": "required"},
        {"matching": "@.*-ext:localhost", "rule": "required"},
        {"matching": "@a.*", "rule": "required"},
    ]
    extra = tmp_path / "extra.yaml"
    extra.write_text(yaml.safe_dump({"modules": ours(factors={"accounts": rules})}))
    homeserver = sqlite_homeserver(complete.parent)
    assert main(["create-tables", str(complete), str(extra)]) == 0
    capsys.readouterr()

    too_early = look(capsys, complete, extra)
    homeserver.query("CREATE TABLE user_threepids (user_id TEXT, medium TEXT, address TEXT)")
    homeserver.query("CREATE TABLE users (name TEXT, deactivated SMALLINT NOT NULL DEFAULT 0)")
    for name, is_closed in (
        ("@Anna:localhost", 0),
        ("@ben:localhost", 0),
        ("@closed:localhost", 1),
    ):
        homeserver.query("INSERT INTO users VALUES (?, ?)", name, is_closed)
    homeserver.query("INSERT INTO users VALUES ('@arno:localhost', 0)")
    code, said = look(capsys, complete, extra)
    # Of a release that knew rules, and no codes by mail.
    homeserver.query("DROP TABLE nextgen_factor_mail")
    homeserver.query("DELETE FROM nextgen_schema WHERE version > 38")
    _, before_mails = look(capsys, complete, extra)
    homeserver.database.path.unlink()

    assert "factors.accounts[1].matching fits none of the 3 accounts" in before_mails
    assert too_early[0] == code == 0
    assert "factors.accounts[" not in too_early[1]
    assert "factors.accounts[0].users names closed, nobody, and there is no such account" in said
    assert "factors.accounts[1].matching fits none of the 3 accounts that are open" in said
    assert "factors.accounts[2]" not in said


def test_the_database_is_looked_into_and_not_written(complete, tmp_path, capsys):
    """Before the first start, with the tables of this release, and of one to come."""
    homeserver = sqlite_homeserver(complete.parent)
    database = homeserver.database.path
    fresh = look(capsys, complete)
    assert not database.exists()
    database.touch()
    empty = look(capsys, complete)
    assert database.stat().st_size == 0
    assert main(["create-tables", str(complete)]) == 0
    capsys.readouterr()
    before = database.read_bytes()
    current = look(capsys, complete)
    homeserver.query("INSERT INTO nextgen_schema VALUES (999, 'from the future', 0)")
    future = look(capsys, complete)
    homeserver.query("DELETE FROM nextgen_schema WHERE version = 999")
    homeserver.query("DELETE FROM nextgen_schema WHERE version > 1")
    older = look(capsys, complete)
    assert database.stat().st_size == len(before)
    database.unlink()

    assert [code for code, _ in (fresh, empty, current, future, older)] == [0, 0, 0, 1, 0]
    assert "database               not there yet, made when Synapse starts" in fresh[1]
    assert "reached; our tables are made when Synapse starts" in empty[1]
    assert f"reached; our tables are at version {migrations.known()[-1].version}\n" in current[1]
    assert "* database: The tables of synapse_nextgen_auth are at version 999" in future[1]
    assert "at version 1, " in older[1]
    assert "steps are done when Synapse starts" in older[1]


def test_the_database_of_a_module_that_is_switched_off_is_looked_into(complete, tmp_path, capsys):
    """Whoever asks gets an answer, and a module that rests makes no tables."""
    database = sqlite_homeserver(complete.parent).database.path
    extra = tmp_path / "off.yaml"
    extra.write_text(yaml.safe_dump({"modules": ours(enabled=False)}))
    fresh = look(capsys, complete, extra)
    database.touch()
    empty = look(capsys, complete, extra)
    assert database.stat().st_size == 0
    assert main(["create-tables", str(complete)]) == 0
    capsys.readouterr()
    current = look(capsys, complete, extra)
    database.unlink()
    main(["check-config", str(complete), str(extra)])
    unasked = capsys.readouterr().out

    assert [code for code, _ in (fresh, empty, current)] == [0, 0, 0]
    for _, printed in (fresh, empty, current):
        assert printed.startswith("OK\nThe module is switched off (enabled: false).\n  database  ")
    assert "not there yet, made when Synapse starts\n" in fresh[1]
    assert "reached; our tables are made when the module is switched on\n" in empty[1]
    assert f"our tables are at version {migrations.known()[-1].version}\n" in current[1]
    assert unasked == "OK\nThe module is switched off (enabled: false).\n"


def test_a_database_of_postgresql_is_looked_into(complete, tmp_path, capsys, make_database):
    """It cannot be reached, or Synapse's user may not create tables there."""
    database = make_database("postgres", tmp_path)
    extra = tmp_path / "database.yaml"

    def looked(**arguments):
        section = database.section()
        section["args"] |= arguments
        extra.write_text(yaml.safe_dump({"database": section}))
        return look(capsys, complete, extra)

    fresh = looked()
    database.query("CREATE ROLE a_poor_user LOGIN")
    database.query("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    poor = looked(user="a_poor_user")
    away = looked(port=1, connect_timeout=5)

    assert (fresh[0], poor[0], away[0]) == (0, 1, 1)
    assert "reached; our tables are made when Synapse starts" in fresh[1]
    assert "* database: Synapse's user must be able to create tables in it" in poor[1]
    assert "* database: it cannot be used: " in away[1]
    assert database.query("SELECT 1 FROM pg_tables WHERE tablename LIKE 'nextgen%'") == []


@pytest.mark.parametrize(
    ("options", "settings", "said"),
    [
        ({"secret_path": "/nowhere/at/all"}, {}, "secret_path"),
        ({"of_a_newer_release": 1}, {}, "of_a_newer_release"),
        ({}, {"public_baseurl": "http://matrix.example.com/"}, "must begin with https://"),
    ],
)
def test_what_keeps_a_switched_off_module_from_nothing_is_a_warning(
    complete, tmp_path, capsys, options, settings, said
):
    """Such a Synapse starts, and its operator is on the gentle way out."""
    extra = tmp_path / "off.yaml"
    extra.write_text(yaml.safe_dump({"modules": ours(enabled=False, **options), **settings}))

    code = main(["check-config", str(complete), str(extra)])

    printed = capsys.readouterr().out
    assert code == 0
    assert printed.startswith("OK\nThe module is switched off")
    assert said in printed.partition("* Warning: ")[2]


def test_the_module_may_be_named_by_its_file(complete, tmp_path, capsys):
    """Synapse takes either spelling."""
    extra = tmp_path / "spelled.yaml"
    entry = {"module": "synapse_nextgen_auth.module.NextGenAuth", "config": {}}
    extra.write_text(yaml.safe_dump({"modules": [entry]}))

    assert main(["check-config", str(complete), str(extra)]) == 0
    assert capsys.readouterr().out.startswith("OK")


def test_the_name_of_an_unknown_method_is_no_secret(complete, tmp_path, capsys):
    extra = tmp_path / "method.yaml"
    client = {
        "client_id": "wiki",
        "redirect_uris": ["https://wiki.example.com/cb"],
        "token_endpoint_auth_method": "client_secret_jwt",
    }
    extra.write_text(yaml.safe_dump({"modules": ours(clients=[client])}))

    assert main(["check-config", str(complete), str(extra)]) == 1
    assert "'client_secret_jwt'" in capsys.readouterr().out


OPEN = {"enable_registration": True, "enable_registration_without_verification": True}
PHONES = {"registrations_require_3pid": ["msisdn"]}
PHONES |= {"account_threepid_delegates": {"msisdn": "https://phones.example"}}


BRINGS_PEOPLE = OAUTH_ONLY | {"scopes": ["openid"]}
EMAIL = {"email": {"smtp_host": "localhost", "notif_from": "noreply@example.com"}}


def test_a_captcha_that_register_does_not_ask_is_warned_of(check):
    """Programs would go there."""
    said = "captcha.kind asks on the pages only"
    ours_alone = check(**OPEN, modules=ours(captcha={"kind": "proof_of_work"}))
    closed = check(modules=ours(captcha={"kind": "proof_of_work"}))

    assert said in ours_alone[1]
    assert said not in closed[1]


KEYS = {"recaptcha_public_key": "public", "recaptcha_private_key": "private"}


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({}, "without recaptcha_public_key and recaptcha_private_key:"),
        ({"recaptcha_public_key": "public"}, "without recaptcha_private_key:"),
        (KEYS, None),
        ({"modules": ours(captcha={"kind": "proof_of_work"})}, None),
        ({"enable_registration": False}, None),
    ],
)
def test_a_captcha_without_its_keys_is_warned_of(check, settings, missing):
    """Synapse starts with it, and everybody who signs up gets stuck."""
    code, printed = check(**OPEN | {"enable_registration_captcha": True} | settings)

    assert code == 0, printed
    assert ("nobody can finish a sign-up" in printed) == (missing is not None)
    assert (missing or "") in printed


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "closed"),
        (OPEN, "with a password"),
        (OPEN | {"registration_requires_token": True}, "with a password (registration token)"),
        (
            OPEN | EMAIL | {"registrations_require_3pid": ["email"]},
            "with a password (e-mail address)",
        ),
        (OPEN | PHONES, "with a password (phone number)"),
        (
            OPEN
            | EMAIL
            | {
                "registrations_require_3pid": ["email"],
                "enable_registration_token_3pid_bypass": True,
            },
            "with a password (e-mail address or registration token)",
        ),
        (
            OPEN
            | EMAIL
            | PHONES
            | {"registrations_require_3pid": ["email", "msisdn"]}
            | {
                "registration_requires_token": True,
                "modules": ours(captcha={"kind": "proof_of_work"}),
            },
            "with a password (registration token, captcha, e-mail address, phone number)",
        ),
        (
            OPEN | {"modules": ours(captcha={"kind": "proof_of_work"})},
            "with a password (captcha)",
        ),
        (OPEN | {"oidc_providers": [BRINGS_PEOPLE]}, "with a password, people of oidc-forge"),
        (
            OPEN
            | {"password_config": {"localdb_enabled": False}, "oidc_providers": [BRINGS_PEOPLE]},
            "people of oidc-forge",
        ),
        (
            OPEN | {"oidc_providers": [BRINGS_PEOPLE], "modules": ours(drain=True)},
            "closed",
        ),
        (OPEN | {"modules": ours(drain=True)}, "closed"),
    ],
)
def test_who_gets_an_account_is_said(check, settings, words):
    """And what they are asked."""
    code, printed = check(**settings)

    assert code == 0, printed
    assert f"  sign-up                {words}\n" in printed, printed


def test_what_no_page_asks_for_is_named():
    """The page says that check-config does; no supported release asks for such a thing."""
    demands = Demands((frozenset({"m.login.blood", "m.login.terms"}), frozenset({"m.login.sweat"})))

    assert with_password(demands) == "closed: no page asks for m.login.blood or m.login.sweat"


@pytest.mark.parametrize("kind", ["email", "msisdn"])
@pytest.mark.parametrize("settings", [OPEN, {}, {"modules": ours(enabled=False)}])
def test_what_is_demanded_and_cannot_be_confirmed_is_said(check, settings, kind):
    """Synapse does not start with it, whoever may sign up."""
    code, printed = check(**settings, registrations_require_3pid=[kind])

    assert code == 1
    assert "* registrations_require_3pid: Configuration requires" in printed


def test_a_template_that_cannot_be_used_is_an_error(complete, tmp_path, capsys, monkeypatch):
    """A start compiles none of them, so that is found here."""
    directory = tmp_path / "templates"
    shutil.copytree(shipped(), directory)
    (directory / "components/notice.html").write_text("{% macro notice( %}")
    (directory / "emails/foot.html").write_text("{% block body %}")
    for module in (templates, mail_texts):
        monkeypatch.setattr(module, "shipped", lambda: directory)

    assert main(["check-config", str(complete)]) == 1
    printed = capsys.readouterr().out
    assert f"{directory}/components/notice.html: line 1: " in printed
    assert f"{directory}/emails/foot.html: line 1: " in printed
