"""What a password costs here is known before anybody waits for it."""

import argon2
import pytest

from synapse_nextgen_auth.accounts import hashes
from synapse_nextgen_auth.accounts.hashes import Hashing
from synapse_nextgen_auth.config.passwords import Passwords
from synapse_nextgen_auth.homeserver.startup import password_costs
from synapse_nextgen_auth.homeserver.startup.password_costs import Tried


def test_the_defaults_are_quick():
    """Nobody is warned of a default."""
    assert password_costs.look(Passwords(hashing=Hashing.ARGON2ID)) == Tried()


def test_a_password_that_takes_long_is_told():
    """The machine is asked, by one pass over the memory; the warning says how long and why."""
    slow = Passwords(hashing=Hashing.ARGON2ID, argon2_memory=128 * 1024, argon2_iterations=1000)
    found = password_costs.look(slow)

    assert found.problems == ()
    (warning,) = found.warnings
    assert "argon2_memory is 131072 KiB and passwords.argon2_iterations 1000: one " in warning


@pytest.mark.parametrize("error", [argon2.exceptions.HashingError("no memory"), MemoryError("x")])
def test_what_the_machine_cannot_do_keeps_the_module_from_starting(monkeypatch, error):
    """Instead of a 503 at each sign-in; what the library says is repeated."""

    def fail(*_):
        raise error

    monkeypatch.setattr(hashes, "make", fail)
    found = password_costs.look(Passwords(hashing=Hashing.ARGON2ID))

    assert found.warnings == ()
    assert found.problems[0].startswith("passwords.argon2_memory is 19456 KiB, and no password")
    assert str(error) in found.problems[0]


def test_nothing_is_tried_where_synapse_keeps_them():
    assert password_costs.look(Passwords(argon2_memory=4194304, argon2_iterations=1000)) == Tried()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "it cannot be read: No such file or directory"),
        (b"", "it is empty"),
        (b"A" * 32 + b":5\n", "it has NTLM hashes; take the one with SHA-1 hashes"),
        (b"B" * 40 + b"\n" + b"A" * 40 + b"\n", "it is not sorted by its hashes: run"),
        (b"x" * (16 * 1024 * 1024 + 1), "it has 16 MiB of plain passwords, and at most 16"),
        (b"A" * 40 + b"\n" + b"B" * 40 + b":3\r\n", None),
        (b"password\n", None),
    ],
)
def test_a_list_of_leaked_passwords_that_cannot_be_asked_is_told_at_once(tmp_path, content, said):
    """Not when somebody first chooses a password."""
    path = tmp_path / "leaked.txt"
    if content is not None:
        path.write_bytes(content)
    found = password_costs.look(Passwords(breached_list=str(path)))

    assert found.warnings == ()
    if said is None:
        assert found.problems == ()
    else:
        assert found.problems[0].startswith(f"passwords.breached_list is {path}: {said}")
