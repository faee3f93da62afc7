"""The code that was sent to a phone."""

import pytest

from synapse_nextgen_auth.accounts.phones import MOST_TRIES, PhoneCode, read_code


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("123456", "123456"),
        (" 123 456 ", "123456"),
        ("123-456", "123456"),
        ("AB12", "AB12"),
        ("", None),
        ("12.34", None),
        ("x" * 33, None),
        ("1" * 200, None),
        ("١٢٣", None),
    ],
)
def test_a_code_is_read_as_people_paste_it(typed, code):
    assert read_code(typed) == code


def test_a_code_is_tried_ten_times_and_shows_in_no_log():
    sent = PhoneCode("4915123456789", "DE", "the sid", "the secret", tries=MOST_TRIES - 1)

    assert sent.has_tries
    assert not PhoneCode("4915123456789", "DE", "s", "s", tries=MOST_TRIES).has_tries
    assert "the sid" not in repr(sent)
    assert "the secret" not in repr(sent)
