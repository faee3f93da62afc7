"""Letters: what waits to be sent, sealed."""

import pytest

from synapse_nextgen_auth.accounts.mail.letters import MAILS, AddressCode, AddressInUse, Letter
from synapse_nextgen_auth.secret import Keyring

KEYS = Keyring.of(b"a secret of the tests, long enough")
LETTERS = [
    Letter("anna@example.com", "de", AddressCode("012345", 10)),
    Letter("anna@example.com", "en", AddressInUse("@anna:example.com")),
]


@pytest.mark.parametrize("letter", LETTERS)
def test_what_was_sealed_is_read_as_it_was(letter):
    assert Letter.unseal(KEYS, letter.seal(KEYS)) == letter


@pytest.mark.parametrize("letter", LETTERS)
def test_c234_nothing_of_it_can_be_read_in_the_table(letter):
    """Nor in what a program prints of it: neither the address nor the code."""
    for shown in (letter.seal(KEYS), repr(letter)):
        assert "anna@" not in shown
        assert "012345" not in shown


def test_without_the_key_there_is_none():
    """As after the loss of the secret."""
    assert Letter.unseal(Keyring.of(b"another" * 8), LETTERS[0].seal(KEYS)) is None


def test_the_names_of_mails_never_change():
    """Mails of an earlier release wait under them."""
    assert {kind: mail.__name__ for kind, mail in MAILS.items()} == {
        "address_code": "AddressCode",
        "address_in_use": "AddressInUse",
        "address_taken": "AddressTaken",
        "recovery_link": "RecoveryLink",
        "password_link": "PasswordLink",
        "password_set": "PasswordSet",
        "sign_in_code": "SignInCode",
        "factor_code": "FactorCode",
        "sign_in_usual_way": "SignInUsualWay",
        "signed_in_by_code": "SignedInByCode",
        "invited": "Invited",
        "invited_again": "InvitedAgain",
        "factors_lost": "FactorsLost",
        "security_notice": "SecurityNotice",
        "waiting": "Waiting",
        "over": "Over",
    }
