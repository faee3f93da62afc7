"""What proves a command: the present secret, for this path and body, now, and once."""

import attrs
import pytest

from synapse_nextgen_auth.accounts import commands
from synapse_nextgen_auth.accounts.commands import WINDOW, Stamp, Unproven
from synapse_nextgen_auth.secret import Keyring

KEYS = Keyring.of(b"the secret in homeserver.yaml")
NOW = 1_800_000_000
PATH = "/_synapse/client/auth/command"
BODY = b'{"command":"status"}'
STAMP = Stamp(NOW, "0123456789abcdef0123456789abcdef")
HEADER = STAMP.header(KEYS, path=PATH, body=BODY)


def read(header=HEADER, *, keys=KEYS, path=PATH, body=BODY, now=NOW):
    return commands.read(keys, header, path=path, body=body, now=now)


def test_who_has_the_secret_is_heard():
    assert read() == STAMP


@pytest.mark.parametrize("late", [-WINDOW, WINDOW])
def test_two_minutes_between_two_clocks_are_fine(late):
    assert read(now=NOW + late) == STAMP


@pytest.mark.parametrize("late", [-WINDOW - 1, WINDOW + 1, 10**9, -NOW])
def test_no_request_is_good_for_longer(late):
    assert read(now=NOW + late) is Unproven.OTHER_TIME


@pytest.mark.parametrize(
    "other",
    [
        {"body": b'{"command":"other"}'},
        {"body": b""},
        {"path": PATH + "/"},
        {"path": "/other"},
        {"keys": Keyring.of(b"another secret")},
        # A secret that leaked and was replaced commands nothing, though its tokens are still read.
        {"keys": Keyring.of(b"the new secret", [b"the secret in homeserver.yaml"])},
        {"header": attrs.evolve(STAMP, once="f" * 32).header(KEYS, path="/x", body=BODY)},
        {"header": HEADER.replace(str(NOW), str(NOW + 1))},
        {"header": HEADER.replace("0123", "3210", 1)},
    ],
    ids=str,
)
def test_c187_a_proof_is_for_one_request(other):
    assert read(**other) is Unproven.OTHER_SECRET


@pytest.mark.parametrize(
    "header",
    [
        *(None, "", "Bearer x", HEADER.lower(), HEADER + "\n", " " + HEADER, HEADER + "="),
        HEADER.replace(str(NOW), "\u0661" * 10),
        HEADER.rpartition(".")[0],
        HEADER[:-20],
    ],
)
def test_what_no_command_sends_is_unsigned(header):
    assert read(header) is Unproven.UNSIGNED


def test_a_wrong_proof_is_not_told_what_time_it_is():
    assert read(HEADER[:-1] + "!", now=0) is Unproven.UNSIGNED
    assert read(body=b"x", now=0) is Unproven.OTHER_SECRET


def test_an_answer_is_for_whoever_asked():
    sealed = STAMP.seal(KEYS, {"link": "https://example.org/set-password"})

    assert "example" not in sealed
    assert STAMP.unseal(KEYS, sealed) == {"link": "https://example.org/set-password"}
    assert Stamp(NOW, "f" * 32).unseal(KEYS, sealed) is None
    assert STAMP.unseal(Keyring.of(b"another secret"), sealed) is None
    assert STAMP.unseal(KEYS, "nonsense") is None
