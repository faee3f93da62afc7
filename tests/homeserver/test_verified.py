"""What is remembered of which devices are verified, and who may be answered before they are checked."""

import asyncio
import json
from types import SimpleNamespace

import pytest
from signedjson.key import encode_verify_key_base64, generate_signing_key, get_verify_key

from synapse_nextgen_auth.homeserver.background import Background
from synapse_nextgen_auth.homeserver.devices import verified
from synapse_nextgen_auth.homeserver.devices.verified import AT_ONCE, Verified

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]

KEY = encode_verify_key_base64(get_verify_key(generate_signing_key("0")))
FALSE = "A" * 86
ALICE, BOB = "@alice:example.org", "@bob:example.org"


class Rows:
    """A homeserver whose accounts have devices with signatures that are false."""

    hs = None

    def __init__(self, **devices):
        self.devices = {f"@{name}:example.org": number for name, number in devices.items()}
        self.store = SimpleNamespace(get_e2e_cross_signing_key=self.key)

    async def key(self, _user_id, _key_type):
        return {"keys": {f"ed25519:{KEY}": KEY}}

    async def read(self, _query, user_id, _key_id):
        names = [f"DEVICE{number}" for number in range(self.devices[user_id])]
        return [
            (each, json.dumps({"device_id": each, "user_id": user_id}), FALSE) for each in names
        ]


@pytest.fixture
def later(monkeypatch):
    """Check in the same thread, and return what was put off."""
    put_off = []

    async def at_once(_hs, work, *args):
        return work(*args)

    def begin(_hs, kind, work, *args):
        put_off.append((kind, lambda: work(*args)))

    monkeypatch.setattr(verified, "in_thread", at_once)
    monkeypatch.setattr(verified.background, "begin", begin)
    return put_off


@pytest.mark.parametrize("number", [AT_ONCE, AT_ONCE + 1])
def test_whoever_ends_or_spares_sessions_waits_for_every_check(later, number):
    """However many devices there are: no signature is believed unseen, and nothing is put off."""
    found = asyncio.run(Verified(Rows(alice=number)).of(ALICE))

    assert list(found.values()) == [False] * number
    assert later == []


@pytest.mark.parametrize(("number", "put_off"), [(AT_ONCE, False), (AT_ONCE + 1, True)])
def test_the_overview_waits_for_a_hundred_checks_and_no_more(later, number, put_off):
    """What it believes of more is looked up by itself, and known the next time."""
    answers = Verified(Rows(alice=number))

    first = asyncio.run(answers.of(ALICE, in_a_hurry=True))
    kinds = [kind for kind, _ in later]
    for _, check in later:
        asyncio.run(check())
    later.clear()
    second = asyncio.run(answers.of(ALICE, in_a_hurry=True))

    assert list(first.values()) == [put_off] * number
    assert kinds == [Background.VERIFIED] * put_off
    assert list(second.values()) == [False] * number
    assert later == []


def test_what_others_ask_meanwhile_verifies_no_device(later, monkeypatch):
    """Answers that were forgotten while another one was looked for are not taken for a yes."""
    rows = Rows(alice=3, bob=6)
    answers = Verified(rows)
    monkeypatch.setattr(verified, "_KEPT", 5)

    async def ask():
        await answers.of(ALICE)
        rows.devices[ALICE] += 1
        begun, goes_on = asyncio.Event(), asyncio.Event()

        async def slowly(_hs, work, *args):
            begun.set()
            await goes_on.wait()
            return work(*args)

        with monkeypatch.context() as patch:
            patch.setattr(verified, "in_thread", slowly)
            waiting = asyncio.create_task(answers.of(ALICE))
            await begun.wait()
        await answers.of(BOB)
        goes_on.set()
        return await waiting

    assert list(asyncio.run(ask()).values()) == [False] * 4
