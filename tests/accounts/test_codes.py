"""Codes of six digits: how they are typed, for what they are right, and until when."""

import attrs
import pytest

from synapse_nextgen_auth.accounts import codes
from synapse_nextgen_auth.accounts.codes import LIFETIME, MAX_TRIES, PAUSE, Code
from synapse_nextgen_auth.accounts.works import SendMail
from synapse_nextgen_auth.secret import Keyring

NOW = 1_800_000_000
KEYS = Keyring.of(b"a secret of the tests, long enough")
MAIL = SendMail("mail", "sealed", NOW + LIFETIME)


def a_code(code="012345", *, keys=KEYS, **fields):
    usual = {"attempt_id": "attempt", "address": "anna@example.com", "mail": MAIL, "now": NOW}
    return Code.of(keys, code, **usual | fields)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("012345", "012345"),
        (" 012 345\r\n", "012345"),
        ("012-345", "012345"),
        ("0 1 2 3 4 5", "012345"),
        ("012\u00a0345", "012345"),
        ("\u200e012345\u200f", "012345"),
        ("٠١٢٣٤٥", "012345"),
        ("۰۱۲۳۴۵", "012345"),
        ("\uff10\uff11\uff12\uff13\uff14\uff15", "012345"),
        ("", None),
        ("01234", None),
        ("0123456", None),
        ("o12345", None),
        ("01234\uff15\uff16", None),
        ("①②③④⑤⑥", None),
        ("012345" + " " * 10_000, None),
        ("-1234.5", None),
    ],
)
def test_a_code_is_read_as_people_paste_it(typed, code):
    assert codes.read(typed) == code


def test_a_drawn_code_is_six_digits():
    """However small the number is."""
    drawn = {codes.draw() for _ in range(200)}

    assert len(drawn) > 190
    assert all(codes.read(code) == code for code in drawn)


def test_c251_a_code_is_right_for_its_attempt_and_address_alone():
    """Whoever moves it to another row has nothing."""
    code, other = a_code(), a_code(attempt_id="another")
    moved = attrs.evolve(other, mac=code.mac)
    readdressed = attrs.evolve(code, address=a_code(address="eve@example.com").address)

    assert code.is_right(KEYS, "012345")
    assert not code.is_right(KEYS, "012346")
    assert not moved.is_right(KEYS, "012345")
    assert not readdressed.is_right(KEYS, "012345")
    assert not code.is_right(Keyring.of(b"another secret" * 3), "012345")
    assert code.is_right(
        Keyring.of(b"another secret" * 3, [b"a secret of the tests, long enough"]), "012345"
    )


@pytest.mark.parametrize("typed", ["000000", "012345", "null", "None", ""])
def test_c249_of_no_code_none_is_right(typed):
    """As of an address that has an account: the page is the same, and leads nowhere."""
    assert not a_code(None).is_right(KEYS, typed)


def test_c234_neither_code_nor_address_can_be_read_in_the_table():
    code = a_code()

    for shown in (repr(code), *map(str, attrs.astuple(code))):
        assert "012345" not in shown
        assert "anna" not in shown
    assert code.sent_to(KEYS) == "anna@example.com"
    assert code.sent_to(Keyring.of(b"another secret" * 3)) is None


def test_c251_it_is_good_for_ten_tries_and_ten_minutes():
    code = a_code()

    assert code.may_be_tried(NOW + LIFETIME - 1)
    assert not code.may_be_tried(NOW + LIFETIME)
    assert not attrs.evolve(code, tries=MAX_TRIES).may_be_tried(NOW)
    assert attrs.evolve(code, tries=MAX_TRIES - 1).may_be_tried(NOW)
    assert (MAX_TRIES, LIFETIME) == (10, 600)


@pytest.mark.parametrize(("of_links", "of_codes"), [(3600, 600), (600, 600), (120, 120)])
def test_c251_it_lives_no_longer_than_the_operators_links(of_links, of_codes):
    assert codes.lifetime(of_links) == of_codes


@pytest.mark.parametrize(
    ("after", "wait"), [(0, PAUSE), (10, PAUSE - 10), (PAUSE, 0), (999, 0), (-999, 0)]
)
def test_a_new_one_is_sent_after_a_pause(after, wait):
    """A clock that was set back makes nobody wait."""
    assert a_code().wait(NOW + after) == wait
