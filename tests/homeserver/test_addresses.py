"""Which addresses our own connection is tried at, by libpq's rules, and where libpq would ask others."""

import socket

import pytest

from synapse_nextgen_auth.homeserver.database import addresses

NEW, OLD = 170000, 150000
KNOWN = {
    b"one.test": ["192.0.2.1", "192.0.2.2"],
    b"six.test": ["2001:db8::1"],
    b"192.0.2.9": ["192.0.2.9"],
}


@pytest.fixture(autouse=True)
def names(monkeypatch):
    """Answer for a few names; nothing of the machine that runs this counts."""
    for variable in (*addresses._VARIABLES.values(), *addresses._KERBEROS):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(addresses, "_TICKETS", "/nowhere/{}")

    def look_up(host, port, **_):
        if host not in KNOWN:
            raise socket.gaierror(f"unknown: {host}")
        return [(0, 0, 0, "", (address, 0)) for address in KNOWN[host] for _ in "ab"]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def places(**arguments):
    return [
        (one["host"], one["hostaddr"], one["port"]) for one in addresses.each(arguments, libpq=NEW)
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [("", "", "")]),
        ({"host": "/run/postgresql"}, [("/run/postgresql", "", "")]),
        ({"host": "@abstract", "port": 5433}, [("@abstract", "", "5433")]),
        ({"host": "192.0.2.9", "port": 5433}, [("192.0.2.9", "192.0.2.9", "5433")]),
        (
            {"host": "one.test", "port": "1"},
            [("one.test", "192.0.2.1", "1"), ("one.test", "192.0.2.2", "1")],
        ),
        (
            {"host": "six.test,/run,", "port": "1,2,"},
            [("six.test", "2001:db8::1", "1"), ("/run", "", "2"), ("", "", "")],
        ),
        ({"hostaddr": "192.0.2.7"}, [("", "192.0.2.7", "")]),
        ({"host": "unknown.test", "hostaddr": "192.0.2.7"}, [("unknown.test", "192.0.2.7", "")]),
        (
            {"host": "a.test,six.test", "hostaddr": "192.0.2.7,", "port": "9"},
            [("a.test", "192.0.2.7", "9"), ("six.test", "2001:db8::1", "9")],
        ),
        ({"host": "unknown.test,six.test"}, [("six.test", "2001:db8::1", "")]),
    ],
)
def test_each_address_comes_alone(arguments, expected):
    """A name that is not known is passed by, as long as there are others."""
    assert places(**arguments) == expected


def test_what_is_not_given_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("PGHOST", "six.test")
    monkeypatch.setenv("PGPORT", "5499")

    assert places() == [("six.test", "2001:db8::1", "5499")]
    assert places(host="/run", port=1) == [("/run", "", "1")]
    assert places(host="") == [("", "", "5499")]

    monkeypatch.setenv("PGHOSTADDR", "192.0.2.7")
    assert places(host="/run") == [("/run", "192.0.2.7", "5499")]


def test_an_address_keeps_its_scope(monkeypatch):
    found = [(0, 0, 0, "", ("fe80::1", 0, 0, 3)), (0, 0, 0, "", ("2001:db8::1", 0, 0, 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    assert [address for _, address, _ in places(host="link.test")] == ["fe80::1%3", "2001:db8::1"]


def test_where_no_name_is_known_the_last_answer_is_raised():
    with pytest.raises(socket.gaierror, match=r"two\.test"):
        places(host="none.test,two.test")


def test_a_standby_is_looked_for_everywhere_before_anything_is_taken():
    given = {"host": "/a,/b", "target_session_attrs": "prefer-standby"}

    tried = [(one["host"], one["target_session_attrs"]) for one in addresses.each(given, libpq=NEW)]

    assert tried == [("/a", "standby"), ("/b", "standby"), ("/a", "any"), ("/b", "any")]


def test_hosts_are_shuffled_where_that_is_wanted():
    hosts = [f"/{number}" for number in range(50)]
    given = {"host": ",".join(hosts), "load_balance_hosts": "random"}

    tried = [host for host, _, _ in places(**given)]

    assert tried != hosts
    assert sorted(tried) == sorted(hosts)


@pytest.mark.parametrize(
    ("libpq", "quiet"),
    [(NEW, {"gssencmode": "disable", "require_auth": "!gss"}), (OLD, {"gssencmode": "disable"})],
)
def test_libpq_is_told_to_leave_kerberos_alone(libpq, quiet):
    """As far as its version knows the words; an operator's own list stays."""
    (told,) = addresses.each({"host": "/run"}, libpq=libpq)
    (own,) = addresses.each({"host": "/run", "require_auth": "scram-sha-256"}, libpq=libpq)

    assert {name: told[name] for name in told.keys() - {"host", "hostaddr", "port"}} == quiet
    assert own["require_auth"] == "scram-sha-256"


@pytest.mark.parametrize(
    "arguments",
    [
        {"dsn": "host=db.test"},
        {"service": "synapse"},
        {"host": "db.test", "gssencmode": "require"},
        {"host": "db.test", "gssencmode": "prefer"},
        {"host": "db.test", "krbsrvname": "postgres"},
        {"host": "db.test", "require_auth": "gss"},
        {"host": "db.test", "require_auth": "!password"},
        {"host": "a.test,b.test,c.test", "port": "1,2"},
        {"host": "a.test,b.test", "hostaddr": "192.0.2.7"},
    ],
)
def test_where_libpq_would_ask_others_there_is_no_such_connection(arguments):
    assert addresses.why_not(arguments) is not None


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PGSERVICE", "synapse"),
        ("PGGSSENCMODE", "require"),
        ("PGREQUIREAUTH", "gss"),
        ("KRB5CCNAME", "FILE:/tmp/tickets"),
    ],
)
def test_the_environment_may_want_libpq_to_ask_others(monkeypatch, variable, value):
    assert addresses.why_not({"host": "db.test"}) is None

    monkeypatch.setenv(variable, value)

    assert addresses.why_not({"host": "db.test"}) is not None


def test_tickets_matter_where_they_would_be_used(monkeypatch, tmp_path):
    """Not over a socket of the file system, and not where the operator switched them off."""
    monkeypatch.setattr(addresses, "_TICKETS", f"{tmp_path}")

    assert addresses.why_not({"host": "db.test"}) is not None
    assert addresses.why_not({"host": "/run"}) is None
    assert addresses.why_not({"host": "db.test", "gssencmode": "disable"}) is None
    assert (
        addresses.why_not({"host": "db.test", "gssencmode": "disable"} | {"require_auth": "!gss"})
        is None
    )
