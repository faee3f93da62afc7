"""The homeserver.yaml of demo and tests, and what happens when somebody lays theirs over it."""

from pathlib import Path

import pytest

from synapse_nextgen_auth.cli.homeserver_yaml import (
    MODULE,
    ServerSecrets,
    customized,
    deep_merge,
    homeserver_settings,
    log_settings,
    postgres,
    sqlite,
)

HOME = Path("/srv/demo")
SECRETS = ServerSecrets("registration", "macaroon", "form")


def settings(**changes):
    return homeserver_settings(HOME, port=8008, secrets=SECRETS, database=sqlite(HOME), **changes)


def test_the_homeserver_is_on_loopback_and_alone():
    made = settings(bind_addresses=("127.0.0.1", "::1"))

    assert made["server_name"] == "localhost"
    assert made["public_baseurl"] == "http://localhost:8008/"
    assert made["listeners"] == [
        {
            "type": "http",
            "port": 8008,
            "bind_addresses": ["127.0.0.1", "::1"],
            "tls": False,
            "x_forwarded": False,
            "resources": [{"names": ["client"], "compress": False}],
        }
    ]
    assert made["trusted_key_servers"] == []
    assert made["federation_domain_whitelist"] == []
    assert made["enable_registration"] is False


def test_every_path_is_inside_the_directory():
    made = settings()
    paths = [made[name] for name in made if name.endswith(("_path", "_file", "_config"))]

    assert len(paths) == 4
    assert all(path.startswith("/srv/demo/") for path in paths)
    assert made["database"]["args"]["database"] == "/srv/demo/homeserver.db"


def test_the_module_line_alone_is_the_default():
    assert settings()["modules"] == [{"module": MODULE}]
    assert settings(modules=())["modules"] == []


def test_secrets_do_not_print():
    assert "macaroon" not in repr(SECRETS).replace("macaroon_secret_key", "")


@pytest.mark.parametrize(
    ("base", "extra", "merged"),
    [
        ({}, {}, {}),
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, {"a": {"b": 1, "c": 3}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}),
        ({"a": None}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"d": 2}}}, {"a": {"b": {"c": 1, "d": 2}}}),
    ],
)
def test_mappings_merge_and_everything_else_is_replaced(base, extra, merged):
    assert deep_merge(base, extra) == merged


def test_merging_changes_neither_side():
    base = {"a": {"b": 1}}
    deep_merge(base, {"a": {"c": 2}})

    assert base == {"a": {"b": 1}}


def test_options_of_our_module_join_ours():
    ours = settings(modules=({"module": MODULE, "config": {"tokens": {"refresh_grace": "1m"}}},))
    theirs = {"modules": [{"module": MODULE, "config": {"tokens": {"code_lifetime": "60s"}}}]}

    assert customized(ours, theirs)["modules"] == [
        {"module": MODULE, "config": {"tokens": {"refresh_grace": "1m", "code_lifetime": "60s"}}}
    ]


def test_other_modules_join_the_list():
    theirs = {"modules": [{"module": "spam.Checker"}]}

    assert [m["module"] for m in customized(settings(), theirs)["modules"]] == [
        MODULE,
        "spam.Checker",
    ]


@pytest.mark.parametrize("modules", ["a text", {"module": MODULE}, 7])
def test_modules_of_the_wrong_type_are_left_for_synapse_to_refuse(modules):
    assert customized(settings(), {"modules": modules})["modules"] == modules


def test_no_modules_key_keeps_ours():
    assert customized(settings(), {"modules": None})["modules"] == [{"module": MODULE}]


def test_a_database_is_replaced_as_a_whole():
    theirs = {"name": "psycopg2", "args": {"dbname": "synapse"}}

    assert customized(settings(), {"database": theirs})["database"] == theirs


def test_one_rate_limit_can_be_made_strict():
    strict = {"per_second": 0.1, "burst_count": 2}
    made = customized(settings(), {"rc_login": {"failed_attempts": strict}})

    assert made["rc_login"]["failed_attempts"] == strict
    assert made["rc_login"]["address"]["burst_count"] > 1000


def test_postgresql_gets_a_pool_that_its_url_may_change():
    assert postgres({"dbname": "x"})["args"] == {"cp_min": 1, "cp_max": 5, "dbname": "x"}
    assert postgres({"cp_max": 9})["args"]["cp_max"] == 9


def test_sql_is_never_logged_with_its_values():
    made = log_settings(HOME / "log", "DEBUG")

    assert made["root"]["level"] == "DEBUG"
    assert made["loggers"]["synapse.storage.SQL"]["level"] == "INFO"
