"""What waits for the main process: how it is written down, when it is tried again, when no more."""

import json

import pytest

from synapse_nextgen_auth.accounts.outbox import FURTHEST, LEASE, LONGEST_TRY, Entry
from synapse_nextgen_auth.accounts.works import DAY, KINDS, RemovePushers, Unreadable, read, write

NOW = 1_800_000_000
WORK = RemovePushers("a-session", 1_800_000_000_123)


def an_entry(**fields):
    usual = {
        "entry_id": "id",
        "kind": WORK.kind,
        "subject": WORK.subject,
        "position": 1,
        "payload": write(WORK),
        "written_at": NOW,
        "due_at": NOW,
        "tries": 0,
    }
    return Entry(**usual | fields)


def test_what_was_written_is_read_as_it_was():
    assert an_entry().work == WORK


def test_the_names_of_kinds_never_change():
    """Entries of an earlier release wait under them."""
    assert {kind: record.__name__ for kind, record in KINDS.items()} == {
        "remove_pushers": "RemovePushers",
        "send_mail": "SendMail",
        "recover": "Recover",
        "add_email_pusher": "AddEmailPusher",
        "send_sign_in_code": "SendSignInCode",
        "join_room": "JoinRoom",
        "sign_out_devices": "SignOutDevices",
        "tell": "Tell",
        "send_notice": "SendNotice",
        "tell_lost": "TellLost",
        "ask": "Ask",
        "finish_closing": "FinishClosing",
        "show_question": "ShowQuestion",
        "end_question": "EndQuestion",
        "note_change": "NoteChange",
    }


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "no JSON",
        "null",
        "[]",
        '"text"',
        "{}",
        '{"session": "a"}',
        '{"session": "a", "ended": 1, "more": 1}',
        '{"session": 1, "ended": 1}',
        '{"session": null, "ended": 1}',
        '{"session": "a", "ended": "1"}',
        '{"session": "a", "ended": 1.5}',
        '{"session": "a", "ended": true}',
        '{"session": ["a"], "ended": 1}',
    ],
)
def test_anything_else_is_not_read(payload):
    """Rather nothing is done than something that nobody wanted."""
    with pytest.raises(Unreadable):
        read(RemovePushers, payload)


def test_the_text_is_json_of_the_fields():
    assert json.loads(write(WORK)) == {"session": "a-session", "ended": 1_800_000_000_123}


def test_an_entry_does_not_print_its_payload():
    """What a later kind writes may be personal."""
    assert "ended" not in repr(an_entry())


@pytest.mark.parametrize(
    ("tries", "pause"),
    [(0, 1), (1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (2000, 60)],
)
def test_each_pause_is_longer_up_to_a_minute(tries, pause):
    assert an_entry(tries=tries).pause == pause


@pytest.mark.parametrize(
    ("age", "tries", "hopeless"),
    [
        (0, 0, False),
        (DAY - 1, 1440, False),
        (DAY, 9, False),  # the main process was away all day: it gets its chances
        (DAY, 10, True),
        (30 * DAY, 10, True),
        (-DAY, 1440, False),  # written by a clock that ran ahead; it is set right
    ],
)
def test_it_is_given_up_after_a_day_of_tries(age, tries, hopeless):
    assert an_entry(written_at=NOW - age, tries=tries).is_hopeless(NOW) is hopeless


def test_whoever_has_an_entry_breaks_off_before_another_may_take_it():
    assert LONGEST_TRY < LEASE <= FURTHEST
