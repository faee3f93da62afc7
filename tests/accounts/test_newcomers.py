"""What is kept of somebody who has no account yet."""

import attrs
import pytest

from synapse_nextgen_auth.accounts.attempts.arrivals import Statement
from synapse_nextgen_auth.accounts.attempts.newcomers import Newcomer
from synapse_nextgen_auth.secret import Keyring

SAID = Statement(amr="pwd", auth_time=17, session="there-1")
KEYS = Keyring.of(b"the present secret of this server")


@attrs.frozen
class Attributes:
    """What a mapping gives Synapse."""

    localpart: str | None = "carol"
    confirm_localpart: bool = False
    display_name: str | None = "Carol Corp"
    picture: str | None = None
    emails: tuple = ("carol@corp.example", "carol@corp.example", None, "", 7)


@pytest.mark.parametrize(
    ("localpart", "confirm", "must_choose"),
    [("carol", False, False), ("carol", True, True), (None, False, True), ("", False, True)],
)
def test_who_chooses_the_name(localpart, confirm, must_choose):
    """The person, unless the mapping knows it and wants nobody to confirm it (C273)."""
    attributes = Attributes(localpart=localpart, confirm_localpart=confirm)
    newcomer = Newcomer.of("oidc-works", "17", attributes, SAID)

    assert newcomer.must_choose is must_choose
    assert newcomer.localpart == (localpart or None)


def test_only_addresses_are_addresses():
    assert Newcomer.of("oidc-works", "17", Attributes(), SAID).emails == ("carol@corp.example",)
    many = Attributes(emails=tuple(f"{n}@example.org" for n in range(99)))
    assert len(Newcomer.of("oidc-works", "17", many, SAID).emails) == 20


def test_it_is_sealed_and_read_again():
    """The table holds nothing that a reader of the database learns from."""
    newcomer = Newcomer.of("oidc-works", "17", Attributes(), SAID)
    sealed = newcomer.seal(KEYS)

    assert "carol" not in sealed
    assert Newcomer.unseal(KEYS, sealed) == newcomer
    assert Newcomer.unseal(Keyring.of(b"another secret"), sealed) is None
