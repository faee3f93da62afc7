"""What a form can ask for: a password, and the fields of other modules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.accounts.ways import PASSWORD, Field, Way, Ways, find_ways, why_not

TOKEN = ("com.devture.shared_secret_auth", ("token",))
OTP = ("com.example.otp", ("passphrase", "otp"))


def ways(*types, passwords=True, localdb=True):
    return find_ways(dict(types), passwords=passwords, localdb=localdb, email=False, phone=False)


def names(way):
    return way and (way.type, *(field.name for field in way.fields))


@pytest.mark.parametrize(
    ("passwords", "localdb", "modules", "form"),
    [
        (True, True, (), (PASSWORD, "password")),
        (True, True, [(PASSWORD, ("password",))], (PASSWORD, "password")),
        (True, False, [(PASSWORD, ("password",))], (PASSWORD, "password")),
        (True, False, (), None),
        (False, True, (), None),
        (False, True, [(PASSWORD, ("password",))], None),
        (True, True, [(PASSWORD, ("password", "otp"))], (PASSWORD, "password", "otp")),
        (True, True, [(PASSWORD, ("otp",))], (PASSWORD, "password", "otp")),
    ],
)
def test_a_password_is_asked_for_where_one_counts(passwords, localdb, modules, form):
    """As Synapse's own `get_supported_login_types` says, with what a module wants beside it."""
    assert names(ways(*modules, passwords=passwords, localdb=localdb).password) == form


def test_types_of_modules_are_forms_of_their_own():
    found = ways(OTP, TOKEN, passwords=False)

    assert [names(way) for way in found.custom] == [(OTP[0], *OTP[1])]
    assert found.find(OTP[0]) == found.custom[0]
    assert found.find(TOKEN[0]) is None
    assert found.find(PASSWORD) is None


@pytest.mark.parametrize(
    ("login_type", "fields", "why"),
    [
        (PASSWORD, ("password",), None),
        (*OTP, None),
        ("com.example.pin", ("pin",), None),
        ("com.example.both", ("password", "token"), None),
        (*TOKEN, "nobody can type its token"),
        ("org.matrix.login.jwt", ("JWT",), "nobody can type its JWT"),
        ("com.example.none", (), "it has no field"),
        ("com.example.many", tuple("abcdefg"), "it has more than 6 fields"),
        ("com.example.odd", ("",), "a field has no name that a person can read"),
        ("com.example.odd", ("a\nb",), "a field has no name that a person can read"),
        ("com.example.long", ("x" * 65,), "a field has no name that a person can read"),
        ("m.login.token", ("pin",), "its name has a meaning of its own"),
        ("m.login.sso", ("pin",), "its name has a meaning of its own"),
        (
            "com.example.user",
            ("user", "pin"),
            "a field is called user, which means something else in a request to sign in",
        ),
        (
            "com.example.type",
            ("pin", "type"),
            "a field is called type, which means something else in a request to sign in",
        ),
    ],
)
def test_what_a_person_cannot_be_asked_for_is_named(login_type, fields, why):
    assert why_not(login_type, fields) == why


@given(st.dictionaries(st.text(max_size=80), st.lists(st.text(max_size=80), unique=True)))
def test_no_field_of_a_module_becomes_a_part_of_the_request(types):
    """Whatever modules declare: who somebody says they are, and how, is never a module's field."""
    for way in ways(*types.items()).custom:
        assert why_not(way.type, tuple(field.name for field in way.fields)) is None
        assert not {"type", "identifier", "user", "medium", "address"} & {
            field.name for field in way.fields
        }


@pytest.mark.parametrize(
    ("name", "is_secret", "autocomplete"),
    [
        ("password", True, "current-password"),
        ("Passphrase", True, "current-password"),
        ("otp", True, "one-time-code"),
        ("TOTP code", True, "one-time-code"),
        ("pin", True, "off"),
        ("floor", False, "off"),
    ],
)
def test_a_field_says_by_its_name_what_it_holds(name, is_secret, autocomplete):
    assert (Field(name).is_secret, Field(name).autocomplete) == (is_secret, autocomplete)


def test_there_is_a_way_in_or_none():
    assert Ways(Way(PASSWORD, (Field("password"),)))
    assert Ways(None, (Way("x", (Field("y"),)),))
    assert not Ways()
    assert not Ways(email=True, phone=True)
