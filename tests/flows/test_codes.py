"""Codes on a database: a new one voids the last, ten tries are ten, and a right one stays right."""

from functools import partial

import pytest

from support.records import NOW
from support.tables import settled
from synapse_nextgen_auth.accounts.codes import LIFETIME, MAX_TRIES, PAUSE, Code, Trial
from synapse_nextgen_auth.accounts.works import SendMail
from synapse_nextgen_auth.flows import codes
from synapse_nextgen_auth.secret import Keyring
from synapse_nextgen_auth.store import codes as rows

KEYS = Keyring.of(b"a secret of the tests, long enough")


def send(code="012345", *, mail="first", at=0, address="anna@example.com"):
    work = SendMail(mail, f"sealed {mail}", NOW + at + LIFETIME)
    sent = Code.of(KEYS, code, attempt_id="attempt", address=address, mail=work, now=NOW + at)
    return partial(codes.send, code=sent, mail=work, now=NOW + at)


def enter(typed="012345", *, at=1):
    return partial(codes.enter, attempt_id="attempt", typed=typed, keys=KEYS, now=NOW + at)


def mails(tables):
    return [
        subject
        for (subject,) in tables.query("SELECT subject FROM nextgen_outbox ORDER BY subject")
    ]


def test_the_right_code_is_right(tables, transact):
    """Typed once more it still is: the browser may have lost the answer."""
    transact(send())

    assert mails(tables) == ["first"]
    assert transact(enter("000000")) is Trial.WRONG
    assert transact(enter()) is Trial.RIGHT
    assert transact(enter()) is Trial.RIGHT
    assert tables.run(rows.get, "attempt").proven_at == NOW + 1


def test_c251_another_code_than_the_right_one_is_never_right(tables, transact):
    """Also after the right one was typed, and after its time."""
    transact(send())
    transact(enter())

    assert transact(enter("000000")) is Trial.OVER
    assert transact(enter("000000", at=LIFETIME)) is Trial.OVER
    assert transact(enter(at=LIFETIME)) is Trial.RIGHT


def test_a_code_that_opened_nothing_is_over(tables, transact):
    """And the next one can be sent."""
    transact(send())
    transact(enter())
    transact(partial(codes.void, attempt_id="attempt", now=NOW + 2))

    assert transact(enter(at=3)) is Trial.OVER
    transact(send("111111", mail="second", at=PAUSE))
    assert transact(enter("111111", at=PAUSE)) is Trial.RIGHT


def test_without_a_code_there_is_none_to_type(transact):
    assert transact(enter()) is Trial.OVER


def test_c251_a_new_code_voids_the_one_before(tables, transact):
    """A mail with that which was not sent yet stays unsent; tries count from the beginning."""
    transact(send())
    for _ in range(MAX_TRIES):
        transact(enter("999999"))
    transact(send("111111", mail="second", at=PAUSE))

    assert mails(tables) == ["second"]
    assert transact(enter(at=PAUSE)) is Trial.WRONG
    assert transact(enter("111111", at=PAUSE)) is Trial.RIGHT


def test_within_the_pause_the_one_that_was_sent_holds(tables, transact):
    """Whoever presses twice gets one mail."""
    first = transact(send())
    again = transact(send("111111", mail="second", at=PAUSE - 1))

    assert again == first
    assert mails(tables) == ["first"]
    assert transact(enter("111111")) is Trial.WRONG
    assert transact(enter()) is Trial.RIGHT


def test_whoever_corrects_the_address_waits_for_no_pause(tables, transact):
    """The code for the wrong one is void, and a mail to it that waits is not sent."""
    transact(send(address="ana@example.com"))
    transact(partial(send("111111", mail="second", at=1), pause=0))

    assert mails(tables) == ["second"]
    assert transact(enter()) is Trial.WRONG
    assert transact(enter("111111")) is Trial.RIGHT


def test_a_code_that_was_typed_is_not_replaced(tables, transact):
    """The person went on meanwhile."""
    transact(send())
    transact(enter())
    transact(send("111111", mail="second", at=PAUSE))

    assert mails(tables) == ["first"]
    assert transact(enter()) is Trial.RIGHT


def test_another_address_takes_the_place_of_one_that_was_shown_and_led_nowhere(tables, transact):
    """As when the account that it opens is not the one that is asked for."""
    transact(send())
    transact(enter())
    transact(partial(send("111111", mail="second", at=1), pause=0))

    assert mails(tables) == ["second"]
    assert transact(enter()) is Trial.WRONG
    assert transact(enter("111111")) is Trial.RIGHT


def test_a_clock_that_ran_ahead_keeps_nobody_waiting(tables, transact):
    """C379: the row is from tomorrow."""
    transact(send(at=86400))
    transact(send("111111", mail="second"))

    assert mails(tables) == ["second"]
    assert transact(enter("111111")) is Trial.RIGHT


@pytest.mark.parametrize(("at", "trial"), [(LIFETIME - 1, Trial.RIGHT), (LIFETIME, Trial.OVER)])
def test_c251_a_code_lives_for_ten_minutes(transact, at, trial):
    transact(send())

    assert transact(enter(at=at)) is trial


def test_c251_after_ten_tries_the_right_one_is_none(tables, transact):
    """And no more are counted."""
    transact(send())
    tried = [transact(enter("999999")) for _ in range(MAX_TRIES)]

    assert set(tried) == {Trial.WRONG}
    assert transact(enter()) is Trial.OVER
    assert tables.run(rows.get, "attempt").tries == MAX_TRIES


def test_c251_of_guesses_at_once_no_more_than_ten_are_looked_at(tables):
    """The right one is the last of them, or never looked at."""
    tables.run(send())
    guesses = [settled(tables, enter(f"{number:06}")) for number in range(900000, 900024)]
    tried = tables.race(guesses)

    assert tried.count(Trial.WRONG) == MAX_TRIES
    assert tried.count(Trial.OVER) == len(guesses) - MAX_TRIES
    assert tables.run(enter()) is Trial.OVER


def test_c251_typed_twice_at_once_it_is_right_twice(tables):
    """A press that went out twice; what it leads to happens once."""
    tables.run(send())
    tried = tables.race([settled(tables, enter()) for _ in range(6)])

    assert tried == [Trial.RIGHT] * 6
    assert tables.run(rows.get, "attempt").tries == 1


def test_asked_for_twice_at_once_one_is_sent(tables):
    """Of a first one, and of one after the pause."""
    for at in (0, PAUSE):
        asked = [
            settled(tables, send(f"{at:05}{number}", mail=f"mail {at} {number}", at=at))
            for number in range(6)
        ]
        sent = tables.race(asked)

        assert len({code.mail for code in sent}) == 1
        assert mails(tables) == [sent[0].mail]


def test_a_refused_address_is_noted_for_the_mail_that_went_there(tables):
    """A code that was sent meanwhile knows nothing of it."""
    tables.run(send())
    tables.run(rows.note_refused, "first", now=NOW + 5)
    tables.run(rows.note_refused, "another", now=NOW + 6)
    refused = tables.run(rows.get, "attempt")
    tables.run(send("111111", mail="second", at=PAUSE))

    assert refused.refused_at == NOW + 5
    assert tables.run(rows.get, "attempt").refused_at is None
