"""The operator's options: everything wrong is said at once, with its path, and no secret with it."""

import re

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.records import a_client
from synapse_nextgen_auth import config
from synapse_nextgen_auth.config import Config, ConfigProblems
from synapse_nextgen_auth.config.kinds.numbers import Duration
from synapse_nextgen_auth.config.problems import Problems
from synapse_nextgen_auth.oauth.clients.auth_methods import AuthMethod
from synapse_nextgen_auth.oauth.clients.client_metadata import MAX_DOCUMENT
from synapse_nextgen_auth.oauth.clients.configured import StaticClient
from synapse_nextgen_auth.oauth.grants.grant_types import GrantType

SECRET = "correct horse battery staple, and more of it"
SHORT = "a short secret"
CLIENT = {"client_id": "grafana", "redirect_uris": ["https://grafana.example.com/cb"]}
# Every duration option, and what 0s means there.
DURATIONS = {
    "account.fresh_for": None,
    "captcha.wait": None,
    "tokens.access_token_lifetime": None,
    "tokens.refresh_grace": 0,
    "tokens.code_lifetime": None,
    "sessions.idle_lifetime": None,
    "sessions.idle_lifetime_without_device": None,
    "sessions.lifetime": None,
    "sessions.browser_idle_lifetime": None,
    "sessions.browser_lifetime": None,
    "consent.remember_for": 0,
    "factors.grace_period": 0,
    "factors.lost_wait": 0,
    "factors.remember_for": 0,
    "client_registration.unused_lifetime": None,
    "recovery.link_lifetime": None,
    "invitations.members_lifetime": None,
    "personal_tokens.longest_lifetime": None,
    "device_grants.lifetime": None,
    "device_grants.interval": None,
    "events.lifetime": None,
    "events.address_lifetime": None,
}
BOUNDED = {
    "account.fresh_for",
    "captcha.wait",
    "device_grants.lifetime",
    "device_grants.interval",
    "factors.grace_period",
    "factors.lost_wait",
    "factors.remember_for",
    "recovery.link_lifetime",
}
LONG = sorted(DURATIONS.keys() - BOUNDED)


def problems(raw):
    """Return what is wrong, by path."""
    with pytest.raises(ConfigProblems) as found:
        config.read(raw)
    paths = [path for path, _ in found.value.problems]
    assert len(set(paths)) == len(paths), found.value.problems
    return dict(found.value.problems)


def attempt(raw):
    """Return the configuration, or what is wrong with it."""
    try:
        return config.read(raw)
    except ConfigProblems as found:
        return found


def option(path, value):
    """Return the options that set this one."""
    section, _, name = path.rpartition(".")
    return {section: {name: value}} if section else {name: value}


def value_of(read, path):
    """Return what was read for this path."""
    for name in path.split("."):
        read = getattr(read, name)
    return read


@pytest.mark.parametrize("raw", [None, {}, dict.fromkeys(config.SECTIONS)])
def test_the_bare_line_is_enough(raw):
    """Every option has a default."""
    assert config.read(raw) == Config()


def test_every_option_has_a_default_and_is_explained():
    """The reference page is made of this."""
    for option in config.OPTIONS:
        assert option.about.endswith((".", ")")), option.path
        assert option.example, option.path


def test_everything_that_is_wrong_is_said_at_once():
    """An operator repairs the file once, not seven times."""
    found = problems(
        {
            "enabled": "yes",
            "secret": SHORT,
            "previous_secrets": [SECRET, 7],
            "tokens": {"access_token_lifetime": 300, "refresh_grase": "30s"},
            "sessions": [],
            "client_registration": {"burst": 0, "enabled": 1},
            "clients": [CLIENT, {"client_id": "no way"}, "x"],
            "consnet": {},
        }
    )

    assert found.keys() == {
        *("enabled", "secret", "previous_secrets[1]", "tokens.access_token_lifetime"),
        *("tokens.refresh_grase", "sessions", "client_registration.burst"),
        *("client_registration.enabled", "clients[1]", "clients[2]", "consnet"),
    }
    assert found["tokens.refresh_grase"] == "unknown option; did you mean refresh_grace?"
    assert found["consnet"] == "unknown option; did you mean consent?"


def test_the_message_has_a_line_for_each():
    """Path first."""
    with pytest.raises(
        ConfigProblems, match=r"^sessions: .*\ntokens: .*$|^tokens: .*\nsessions: .*$"
    ):
        config.read({"tokens": 5, "sessions": "x"})


@pytest.mark.parametrize(
    ("raw", "path", "words"),
    [
        ({"zzz": 1}, "zzz", "known are enabled, secret, "),
        ({"Secret": SECRET}, "Secret", "did you mean secret?"),
        ({5: 1}, "5", "unknown option"),
        ({None: 1}, "None", "unknown option"),
        (option("sessions.life_time", "1d"), "sessions.life_time", "did you mean lifetime?"),
        (option("tokens.zzz", "1d"), "tokens.zzz", "known are access_token_lifetime, "),
        (
            {"lifetime": "5m"},
            "lifetime",
            "did you mean sessions.lifetime, device_grants.lifetime or events.lifetime?",
        ),
        ({"max_devices": 5}, "max_devices", "did you mean sessions.max_devices?"),
        (
            option("tokens.remember_for", "1d"),
            "tokens.remember_for",
            "mean consent.remember_for or factors.remember_for?",
        ),
        (option("tokens.secret", "x"), "tokens.secret", "did you mean secret or captcha.secret?"),
        ({"registration": {}}, "registration", "did you mean client_registration?"),
        ({"pages": 1}, "pages", "known are enabled, secret, "),
    ],
)
def test_an_unknown_option_names_the_nearest_known(raw, path, words):
    """A slip of the pen is never ignored."""
    assert words in problems(raw)[path]


@pytest.mark.parametrize(
    "raw", [[], "x", 5, True, 1.5, b"x", object()], ids=lambda raw: type(raw).__name__
)
def test_options_come_by_name(raw):
    """At the top and in every section."""
    assert "expected options by name" in problems(raw)["config"]
    assert "expected options by name" in problems({"tokens": raw})["tokens"]


@pytest.mark.parametrize("path", LONG)
@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("90s", 90), ("5m", 300), ("2h", 7200), ("3d", 259_200), ("1w", 604_800)],
)
def test_a_duration_has_a_unit(path, text, seconds):
    """Seconds, minutes, hours, days, weeks, years."""
    assert value_of(config.read(option(path, text)), path) == seconds


@pytest.mark.parametrize("path", DURATIONS)
@pytest.mark.parametrize(
    "text",
    [
        *(300, 0, 1.5, True, [], {}, "300", "", "s", "-5s", "5 s", "5S", "5ms", "1d12h", "5s\n"),
        *(" 5s", "\u0665s", "1e3s", "9" * 10 + "s", "9" * 5000 + "s"),
    ],
    ids=lambda text: repr(text)[:12],
)
def test_anything_else_is_no_duration(path, text):
    """A bare number would be milliseconds here and seconds there."""
    said = problems(option(path, text))

    assert said.keys() == {path}
    assert "with its unit, like 300s, 5m, 24h or 90d" in said[path]
    assert len(said[path]) < 200


@pytest.mark.parametrize(("path", "meaning"), DURATIONS.items())
def test_zero_is_a_duration_where_it_means_something(path, meaning):
    """Strict rotation, or a question each time; a lifetime of nothing would log everybody out."""
    raw = option(path, "0s")

    if meaning is None:
        assert problems(raw) == {path: "expected more than 0s, got 0s"}
    else:
        assert value_of(config.read(raw), path) == meaning


def test_c151_a_person_has_at_most_twenty_minutes_for_a_code():
    """Whoever phones around with a code has little time (RFC 8628 section 5.4)."""
    path = "device_grants.lifetime"

    assert value_of(config.read(option(path, "20m")), path) == 1200
    assert problems(option(path, "1201s")) == {path: "expected at most 20m, got 1201s"}


def test_nobody_waits_longer_than_the_page_counts():
    """A challenge counts for twenty minutes."""
    assert value_of(config.read(option("captcha.wait", "10m")), "captcha.wait") == 600
    assert problems(option("captcha.wait", "601s")) == {
        "captcha.wait": "expected at most 10m, got 601s"
    }


@pytest.mark.parametrize("path", LONG)
def test_a_duration_is_no_longer_than_a_token_can_say(path):
    """A hundred years."""
    assert value_of(config.read(option(path, "100y")), path) == 100 * 365 * 86_400
    assert problems(option(path, "101y")) == {path: "expected at most 100y, got 101y"}


@pytest.mark.parametrize(
    ("options", "path", "words"),
    [
        ({}, None, ""),
        ({"interval": "90s"}, None, ""),
        ({"interval": "1m", "lifetime": "10m"}, None, ""),
        ({"interval": "30m", "enabled": False}, None, ""),
        (
            {"interval": "30m"},
            "interval",
            "an interval of 30m and a lifetime of 15m .* expected at most 90s",
        ),
        ({"interval": "91s"}, "interval", "at most 90s"),
        (
            {"interval": "61s", "lifetime": "600s"},
            "interval",
            "of 61s and a lifetime of 600s .* 1m",
        ),
        ({"interval": "1s", "lifetime": "9s"}, "lifetime", "expected at least 10s"),
        # What the operator wrote is what is named.
        ({"lifetime": "49s"}, "lifetime", "an interval of 5s .* expected at least 50s"),
        # One mistake, one message.
        ({"interval": "30m", "lifetime": "21m"}, "lifetime", "expected at most 20m, got 21m"),
    ],
)
def test_a_device_can_poll_ten_times_while_its_code_lives(options, path, words):
    """With an interval beyond that no device would ever collect its tokens (RFC 8628 section 3.5)."""
    raw = {"device_grants": options}

    if path is None:
        assert config.read(raw)
    else:
        found = problems(raw)
        assert found.keys() == {f"device_grants.{path}"}
        assert re.search(words, found[f"device_grants.{path}"])


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("authorization.burst", "1e3", "expected a whole number above 0, got '1e3'; write 1000"),
        ("authorization.burst", "5", "expected a whole number above 0, got '5'; write 5"),
        ("authorization.burst", 300.0, "expected a whole number above 0, got 300.0; write 300"),
        ("authorization.burst", "1e-3", "expected a whole number above 0, got '1e-3'"),
        ("authorization.burst", "many", "expected a whole number above 0, got 'many'"),
        ("passwords.argon2_memory", "19MiB", "a whole number of KiB above 0, got '19MiB'"),
        ("authorization.burst", True, "expected a whole number above 0, got true"),
        ("authorization.burst", "nan", "expected a whole number above 0, got 'nan'"),
        ("authorization.per_second", "1e-5", "got '1e-5'; write 0.00001"),
        ("authorization.per_second", "1e999", "expected a finite number above 0, got '1e999'"),
        ("authorization.per_second", 0, "expected a finite number above 0, got 0"),
        ("sessions.max_devices", 0, "expected a whole number above 0, got 0"),
        ("sessions.max_devices", 2**63, "expected at most 2147483647, got 9223372036854775808"),
        # Bytes for KiB.
        ("passwords.argon2_memory", 19 * 2**20, "expected at most 4194304 KiB, got 19922944"),
        ("passwords.argon2_memory", 3984588800, "expected at most 4194304 KiB, got 3984588800"),
        ("passwords.argon2_iterations", 2**32, "expected at most 1000 passes, got 4294967296"),
        ("passwords.argon2_parallelism", 2**24, "expected at most 64 at once, got 16777216"),
        ("tokens.code_lifetime", True, "like 300s, 5m, 24h or 90d, got true"),
    ],
)
def test_what_is_no_number_is_told_how_it_is_written(path, value, said):
    """YAML 1.1 takes 1e3 for a text; a value that is repeated is repeated as YAML writes it."""
    assert problems(option(path, value))[path].endswith(said)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("10.0.0.1/8", "has bits behind the /8; did you mean 10.0.0.0/8?"),
        ("fd00::1/8", "has bits behind the /8; did you mean fd00::/8?"),
        ("127.0.0.9/8", "is loopback, see allow_loopback_web"),
        ("kr\u00e4h.test", "must be in ASCII; write it as xn--krh-rla.test"),
        (".kr\u00e4h.test", "must be in ASCII; write it as .xn--krh-rla.test"),
        # Two standards write these differently.
        ("stra\u00dfe.test", "must be in ASCII, as a browser's address bar copies it (xn--)"),
        ("\u00e4..test", "must be in ASCII, as a browser's address bar copies it (xn--)"),
        ("10.0.0.1/99", "or a network (10.0.0.0/8)"),
    ],
)
def test_a_host_that_is_nearly_right_leads_to_the_right_one(entry, said):
    """The message says what to write; what it says to write is taken."""
    path = "client_registration.public_hosts"
    told = problems(option(path, [entry]))[f"{path}[0]"]

    assert told.endswith(said)
    better = re.search(r"(?:did you mean|write it as) ([^ ?]+)", told)
    if better:
        assert config.read(option(path, [better[1]]))


@pytest.mark.parametrize("field", ["redirect_uris", "grant_types", "contacts"])
def test_a_list_of_a_client_is_asked_for_in_the_words_of_yaml(field):
    """An operator writes no JSON."""
    said = problems({"clients": [{**CLIENT, field: "https://a.example/cb"}]})["clients[0]"]

    assert f"{field} must be a list of texts: begin each entry with a dash" in said
    assert "array" not in said


def test_c166_a_network_fills_little_of_the_disk_in_a_day():
    """With the largest registrations there are, at the rate that holds where nothing is configured."""
    registration = Config().client_registration

    many = registration.burst + 24 * 3600 * registration.per_second

    assert many * MAX_DOCUMENT < 100e6
    assert registration.burst >= 300


def test_every_duration_is_tested_here():
    """A new one needs a line above."""
    declared = {
        option.path
        for option in config.OPTIONS
        if Duration in {type(option.kind), type(getattr(option.kind, "kind", None))}
    }

    assert declared == set(DURATIONS)


@pytest.mark.parametrize(
    ("path", "value", "fine"),
    [
        ("client_registration.per_second", 0.1, True),
        ("client_registration.per_second", 5, True),
        ("client_registration.burst", 1, True),
        ("client_registration.burst", 1.5, False),
        *(("client_registration.burst", wrong, False) for wrong in (0, -1, "5", True, [], "")),
        *(
            ("client_registration.per_second", wrong, False)
            for wrong in (0, -0.5, "1", True, float("nan"), float("inf"))
        ),
        ("client_registration.enabled", False, True),
        *(("client_registration.enabled", wrong, False) for wrong in (0, 1, "no", "false", [])),
        ("client_registration.allow_loopback_web", True, True),
        ("client_registration.allow_loopback_web", "true", False),
        ("enabled", False, True),
        *(("enabled", wrong, False) for wrong in (0, "off", {})),
    ],
)
def test_numbers_are_numbers_and_switches_are_switches(path, value, fine):
    """Nothing is converted."""
    if fine:
        assert value_of(config.read(option(path, value)), path) == value
    else:
        assert problems(option(path, value)).keys() == {path}


def test_hosts_that_count_as_public_are_checked_one_by_one():
    """Each that is wrong is named with its place."""
    path = "client_registration.public_hosts"
    fine = ["chat", ".corp.example", "192.168.0.0/16", "fd00::/8"]

    assert value_of(config.read(option(path, fine)), path) == tuple(fine)
    assert problems(option(path, "chat")).keys() == {path}
    found = problems(option(path, ["chat", "*.internal", "127.0.0.1", 5, "10.0.0.1/8"]))
    assert found.keys() == {f"{path}[{n}]" for n in (1, 2, 3, 4)}
    assert "allow_loopback_web" in found[f"{path}[2]"]


@pytest.mark.parametrize("path", ["enabled", "secret", "tokens.refresh_grace", "clients"])
def test_nothing_is_the_default(path):
    """An option without a value is one that is not there."""
    assert config.read(option(path, None)) == Config()


def test_a_secret_of_enough_bytes_is_taken():
    """Here or in a file, with its predecessors."""
    read = config.read({"secret": SECRET, "previous_secrets": ["p" * 32, "\u00e9" * 16]})

    assert read.secret.reveal() == SECRET
    assert [old.reveal() for old in read.previous_secrets] == ["p" * 32, "\u00e9" * 16]


@pytest.mark.parametrize("around", ["", "\n", "  \n"])
def test_a_secret_may_stand_in_a_file(tmp_path, around):
    """White space around it is dropped."""
    path = tmp_path / "secret"
    path.write_text(around + SECRET + around)

    assert config.read({"secret_path": str(path)}).secret.reveal() == SECRET


def test_a_secret_stands_in_one_place(tmp_path):
    """Not both here and there."""
    path = tmp_path / "secret"
    path.write_text(SECRET)

    assert "not both" in problems({"secret": SECRET, "secret_path": str(path)})["secret_path"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        (SHORT.encode(), "shorter than 32 bytes"),
        (b"", "shorter than 32 bytes"),
        (b"\xff" * 40, "it is not text"),
    ],
)
def test_a_bad_secret_file_is_a_problem(tmp_path, content, words):
    """With the option's path, and the file's name where it cannot be read."""
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)

    said = problems({"secret_path": str(path)})

    assert said.keys() == {"secret_path"}
    assert words in said["secret_path"]


LEAKY = "hunter2-hunter2"
PUBLIC = {**CLIENT, "token_endpoint_auth_method": "none"}


@pytest.mark.parametrize(
    "raw",
    [
        {"secret": LEAKY},
        {"secret": [LEAKY]},
        {"secret": {LEAKY: 1}},
        {"previous_secrets": LEAKY},
        {"previous_secrets": [LEAKY, [LEAKY]]},
        {"secret_path": [LEAKY]},
        {"clients": [{**CLIENT, "client_secret": LEAKY}]},
        {"clients": [{**CLIENT, "client_secret": [LEAKY]}]},
        {"clients": [{**CLIENT, "client_secret": LEAKY, "client_secret_path": "/x"}]},
        {"clients": [{**PUBLIC, "client_secret": LEAKY + "x" * 20}]},
        {"clients": LEAKY},
    ],
)
def test_c225_no_secret_is_repeated(raw):
    """What was given instead of a secret may be the secret."""
    with pytest.raises(ConfigProblems) as found:
        config.read(raw)

    assert LEAKY not in str(found.value)
    assert LEAKY not in repr(found.value.problems)


def test_c225_a_configuration_does_not_show_its_secrets():
    """In no log and no traceback."""
    read = config.read(
        {
            "secret": SECRET,
            "previous_secrets": [SECRET + "!"],
            "clients": [{**CLIENT, "client_secret": SECRET}],
        }
    )

    assert SECRET not in repr(read)
    assert read.clients[0].secret.reveal() == SECRET


def test_a_configured_client_is_read():
    """Public without a secret; its id is the operator's choice."""
    (written,) = config.read({"clients": [CLIENT]}).clients

    assert written.client.client_id == "grafana"
    assert written.client.auth_method is AuthMethod.NONE
    assert written.secret is None


def test_two_clients_cannot_have_one_id():
    """The second is the mistake."""
    said = problems({"clients": [CLIENT, CLIENT]})

    assert said == {"clients[1].client_id": "grafana is there twice"}


@pytest.mark.parametrize(
    ("clients", "exempt", "paths"),
    [
        ([{**CLIENT, "client_secret": SECRET}], ["grafana"], set()),
        ([CLIENT], ["grafana"], {"clients[0]"}),
        ([], ["grafana"], {"pkce_exempt"}),
        ([{"client_id": "grafana"}], ["grafana"], {"clients[0]"}),
        ([], "grafana", {"pkce_exempt"}),
        ([], [""], {"pkce_exempt[0]"}),
        ([], [5], {"pkce_exempt[0]"}),
    ],
)
def test_only_a_client_that_proves_itself_may_do_without_pkce(clients, exempt, paths):
    """A client that is broken for another reason is reported once."""
    raw = {"clients": clients, "pkce_exempt": exempt}

    if paths:
        assert problems(raw).keys() == paths
    else:
        assert config.read(raw).pkce_exempt == {"grafana"}


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
junk = st.recursive(
    leaves | st.binary(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
names = st.sampled_from([field.name for field in attrs.fields(Config)]) | st.text(max_size=5)


@given(st.dictionaries(names, junk, max_size=5))
def test_any_yaml_is_answered(raw):
    """A configuration, or a list of problems that each name a place."""
    found = attempt(raw)

    if isinstance(found, ConfigProblems):
        assert found.problems
        assert all(text for _, text in found.problems)
    else:
        assert isinstance(found, Config)


def test_a_client_with_the_device_grant_needs_it_switched_on():
    """The entry would lose it in silence."""
    device = "urn:ietf:params:oauth:grant-type:device_code"
    clients = [{"client_id": "tv", "grant_types": [device]}]

    found = problems({"clients": clients, "device_grants": {"enabled": False}})

    assert "device_grants.enabled is false" in found["clients[0]"]
    assert config.read({"clients": clients}).clients[0].client.grant_types == (device,)


@pytest.mark.parametrize(
    ("method", "asks", "found"),
    [
        (AuthMethod.NONE, False, {"clients[0]"}),
        (AuthMethod.SECRET_BASIC, False, set()),
        (AuthMethod.NONE, True, set()),
    ],
)
def test_a_public_client_has_no_grant_type_that_asks_nobody(monkeypatch, method, asks, found):
    """The token endpoint would refuse it always: the operator reads it before (RFC 6749 4.4)."""
    kind = GrantType(name="made up", a_person_agrees=asks)
    monkeypatch.setattr(config, "GRANT_TYPES", (kind,))
    client = StaticClient(a_client(auth_method=method, grant_types=("made up",)))
    problems = Problems()

    config._check_clients(problems, Config(clients=(client,)))

    assert {path for path, _ in problems.found} == found


def test_every_mistake_of_a_client_is_told_at_once():
    """In one line for the entry."""
    entry = {
        "client_id": "no way",
        "redirect_uris": [
            "http://10.0.0.1/cb",
            "https://*.example.com/cb",
            "https://a.example/cb#",
        ],
        "token_endpoint_auth_method": "client_secret_jwt",
        "id_token_signed_response_alg": "HS256",
        "logo_uri": "ftp://a.example/logo.png",
        "client_name": "two\nlines",
        "client_name#fr": "deux\nlignes",
        "grant_types": ["authorization_code", "refresh", "code"],
        "client_secret": "short",
        "uri": "x",
    }
    said = problems({"clients": [entry]})["clients[0]"]

    for words in (
        *("client_id must be", "http://10.0.0.1/cb", "https://*.example.com/cb", "fragment"),
        *("client_secret_jwt", "HS256", "logo_uri", "client_name ", "client_name#fr"),
        *("unknown refresh;", "unknown code;", "at least 16 characters", "unknown option uri"),
    ):
        assert words in said, words


@pytest.mark.parametrize("content", [None, b"\xff" * 40])
def test_a_secret_that_cannot_be_read_is_one_message(tmp_path, content):
    """Nothing is said of a secret that nobody has seen."""
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    said = problems({"clients": [{**CLIENT, "client_secret_path": str(path)}]})

    assert list(said) == ["clients[0]"]
    assert said["clients[0]"].startswith(f"cannot read {path}: ")
    assert ";" not in said["clients[0]"]


@pytest.mark.parametrize("secret", ["x" * 32, "aGk/" * 11, "/" + "b64+" * 11, "s3cret-" * 60])
def test_c225_a_secret_in_the_place_of_its_path_is_not_repeated(secret):
    """It may have a slash in it, or begin with one; the option's path says where to look."""
    found = problems({"secret_path": secret, "clients": [{**CLIENT, "client_secret_path": secret}]})

    assert found.keys() == {"secret_path", "clients[0]"}
    for text in found.values():
        assert text.startswith("cannot read the file of this name: ")
        assert secret not in text


@pytest.mark.parametrize(
    ("accounts", "said"),
    [
        ({}, {"factors.accounts": "expected a list, got a mapping"}),
        (["anna"], {"factors.accounts[0]": "expected users, matching, rule, got a text"}),
        (
            [{"users": ["anna"]}],
            {"factors.accounts[0].rule": "expected off, optional or required, got nothing"},
        ),
        (
            [{"rule": "required"}],
            {"factors.accounts[0]": "is about nobody: name users, or say matching"},
        ),
        (
            [{"rule": "required", "users": []}],
            {"factors.accounts[0]": "is about nobody: name users, or say matching"},
        ),
        (
            [{"rule": "off", "users": ["anna"]}],
            {
                "factors.accounts[0].rule": "off changes nothing: of all rules for an account the"
                " strictest holds"
            },
        ),
        (
            [{"rule": "required", "user": ["anna"], "matching": "("}],
            {
                "factors.accounts[0].user": "unknown option; did you mean users?",
                "factors.accounts[0].matching": "is no regular expression: missing ), unterminated"
                " subpattern at position 0",
            },
        ),
        (
            [{"rule": "required", "users": ["anna", "@ben", "carl:example.com", "a b", 5]}],
            {
                f"factors.accounts[0].users[{n}]": f"expected a {what}"
                for n, what in (
                    (1, "Matrix id or a username, got '@ben'"),
                    (2, "Matrix id or a username, got 'carl:example.com'"),
                    (3, "Matrix id or a username, got 'a b'"),
                    (4, "text, got a number"),
                )
            },
        ),
    ],
)
def test_every_mistake_in_a_rule_for_accounts_is_told_with_its_path(accounts, said):
    """A rule that is for fewer accounts than its writer thinks would leave doors open."""
    assert problems({"factors": {"accounts": accounts}}) == said


@pytest.mark.parametrize(
    ("providers", "said"),
    [
        (["a"], {"factors.providers": "expected lists by the ids of providers, got a list"}),
        ({"a": "mfa"}, {"factors.providers.a": "expected a list, got a text"}),
        ({"a": []}, {"factors.providers.a": "is empty: leave the provider out"}),
        ({5: ["mfa"]}, {"factors.providers.5": "expected the id of a provider, got 5"}),
        ({"a": [5, "mfa"]}, {"factors.providers.a[0]": "expected a text, got a number"}),
    ],
)
def test_every_mistake_in_what_providers_say_is_told_with_its_path(providers, said):
    assert problems({"factors": {"providers": providers}}) == said


def test_scopes_of_tokens_are_said_with_what_would_be_right():
    """All at once, each with its place; power over the server is not for everybody (C311)."""
    found = problems(
        {
            "personal_tokens": {
                "scopes": ["read", "urn:nextgen-auth:sent", "urn:mas:admin", 5, "urn:x", "openid"],
                "scopes_of_admins": ["urn:synapse:admin:*", "mas"],
            }
        }
    )
    here = "personal_tokens.scopes"

    assert "did you mean urn:nextgen-auth:read?" in found[f"{here}[0]"]
    assert "did you mean urn:nextgen-auth:send?" in found[f"{here}[1]"]
    assert found[f"{here}[2]"].endswith("name it in scopes_of_admins")
    assert found[f"{here}[3]"] == "expected a text, got a number"
    for n in (4, 5):
        assert "known are urn:matrix:client:api:*, urn:nextgen-auth:read, " in found[f"{here}[{n}]"]
        assert "admin" not in found[f"{here}[{n}]"]
    takes = "urn:synapse:admin:* takes urn:matrix:client:api:* beside it"
    assert found[f"{here}_of_admins"] == takes
    assert "'mas' is no scope of a personal token" in found[f"{here}_of_admins[1]"]
    assert set(problems({"personal_tokens": {"scopes": [], "scopes_of_admins": "x"}})) == {
        here,
        f"{here}_of_admins",
    }


def test_scopes_of_tokens_in_any_order():
    whole = ["urn:synapse:admin:*", "urn:matrix:client:api:*", "urn:matrix:client:api:*"]
    read = config.read({"personal_tokens": {"scopes_of_admins": whole}}).personal_tokens

    assert read.scopes is None
    assert read.scopes_of_admins == frozenset(whole)
