"""Roughly where addresses are, out of a file; without a homeserver, which has no part in it."""

import pytest

from support.geoip import database
from synapse_nextgen_auth.config import Config, GeoIP
from synapse_nextgen_auth.homeserver.places import Places, problems

BERLIN = {
    "city": {"names": {"en": "Berlin", "ar": "برلين"}},
    "country": {"names": {"en": "Germany", "de": "Deutschland"}},
}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("geoip") / "city.mmdb"
    path.write_bytes(
        database(
            {
                "192.0.2.0/24": BERLIN,
                "198.51.100.0/24": {"country": {"names": {"en": "Malta"}}},
                "203.0.113.0/25": {"continent": {"names": {"en": "Europe"}}},
                "203.0.113.128/25": {"city": "no map", "country": {"names": {"en": ["no text"]}}},
                "10.0.0.0/8": {
                    "city": {"names": {"en": "Singapore"}},
                    "country": {"names": {"en": "Singapore"}},
                },
            }
        )
    )
    return str(path)


@pytest.mark.parametrize(
    ("address", "language", "place"),
    [
        ("192.0.2.1", "en", "Berlin, Germany"),
        ("192.0.2.1", "de", "Berlin, Deutschland"),
        ("192.0.2.255", "ar", "برلين, Germany"),
        ("198.51.100.7", "de", "Malta"),
        ("203.0.113.1", "en", "Europe"),
        ("10.1.2.3", "en", "Singapore"),
        ("203.0.113.200", "en", None),
        ("127.0.0.1", "en", None),
        ("2001:db8::1", "en", None),
        ("no address", "en", None),
        ("", "en", None),
        (None, "en", None),
    ],
)
def test_a_place_is_in_the_language_of_the_reader_as_far_as_the_file_has_it(
    path, address, language, place
):
    assert Places(path).of(address, language) == place


def test_without_a_file_nobody_knows():
    assert Places(None).of("192.0.2.1", "en") is None


def test_a_file_that_is_gone_later_costs_nobody_a_page(tmp_path):
    assert Places(str(tmp_path / "gone.mmdb")).of("192.0.2.1", "en") is None


def test_a_good_file_is_no_problem(path):
    assert problems(Config(geoip=GeoIP(database=path))) == []
    assert problems(Config()) == []


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("nowhere.mmdb", None, "geoip.database: cannot read {}: No such file or directory"),
        ("text.mmdb", b"text", "geoip.database: {} is no database in MaxMind's format"),
        ("empty.mmdb", b"", "geoip.database: {} is no database in MaxMind's format"),
        ("with\0nul", None, "geoip.database: {} is no database in MaxMind's format"),
    ],
)
def test_a_wrong_path_is_told_with_its_path(tmp_path, name, content, said):
    """At the start, beside everything else that is wrong."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    assert problems(Config(geoip=GeoIP(database=str(path)))) == [said.format(path)]
