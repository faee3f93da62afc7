"""check-config says everything at once, in the operator's words, and gives no secret away."""

import attrs
import pytest
import yaml

from support.synapse import sqlite_homeserver
from synapse_nextgen_auth.cli.main import main
from synapse_nextgen_auth.config import SECTIONS, Config, duration

MODULE = "synapse_nextgen_auth.NextGenAuth"


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """Return the configuration of a homeserver that Synapse has been started with once."""
    homeserver = sqlite_homeserver(tmp_path_factory.mktemp("homeserver"))
    path = homeserver.write_config()
    key = homeserver.directory / "signing.key"
    key.write_text("ed25519 a_test CnNm3jKBQ5J5dxZEU0V2k4e4BqWIuOGdmvF2m6AGq2c\n")
    return path


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


def test_synapses_own_lifetimes_are_honoured(check):
    code, printed = check(refreshable_access_token_lifetime="7m", session_lifetime="48h")

    assert code == 0
    assert "access token lifetime  7m" in printed
    assert "session, in all        2d" in printed


def _examples():
    """Return each option of the reference with the example that stands there."""
    for field in attrs.fields(Config):
        for inner in attrs.fields(SECTIONS[field.name]) if field.name in SECTIONS else ():
            yield (field.name, inner.name), yaml.safe_load(inner.metadata["example"])
        if field.name not in SECTIONS:
            yield (field.name,), yaml.safe_load(field.metadata["example"])


@pytest.mark.parametrize(("path", "example"), list(_examples()))
def test_every_option_that_is_set_shows(check, tmp_path, path, example):
    """Whoever changes an option finds it among the settings in effect."""
    file = tmp_path / "secret"
    file.write_text("a secret of at least thirty-two characters")
    client = {"client_id": "grafana", "redirect_uris": ["https://grafana.example.com/cb"]}
    client["client_secret_path"] = str(file)
    given = {"secret_path": str(file), "clients": [client]}
    example = given.get(path[0], example)
    base = {"clients": [client]} if path == ("pkce_exempt",) else {}

    _, before = check(modules=ours(**base))
    options = {path[0]: {path[1]: example} if path[1:] else example}
    code, printed = check(modules=ours(**base, **options))

    assert code == 0, printed
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
