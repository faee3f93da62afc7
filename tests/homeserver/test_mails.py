"""Mails leave from the main process, through Synapse's sender, whatever the mail server does."""

import time

import pytest

from support import smtp
from support.waiting import eventually
from synapse_nextgen_auth.accounts.mail.letters import AddressCode, AddressInUse, Letter
from synapse_nextgen_auth.accounts.works import write
from synapse_nextgen_auth.secret import Keyring, random_id

pytestmark = pytest.mark.newest_only

KEYS = Keyring.of(smtp.SECRET.encode())
CODE = AddressCode(code="246810", minutes=10)


def put(homeserver, to, mail, lang="en", *, expires=0, keys=KEYS):
    """Write a mail down past every flow; return its id."""
    work, now = Letter(to, lang, mail).posted(keys, expires=expires), int(time.time())
    homeserver.query(
        "INSERT INTO nextgen_outbox (entry_id, kind, subject, position, payload,"
        " written_at, due_at, tries) VALUES (?, ?, ?, 1, ?, ?, ?, 0)",
        *(random_id(), work.kind, work.subject, write(work), now, now),
    )
    return work.mail


def tries(homeserver, mail):
    """Return how often a mail was tried that still waits, or None."""
    found = homeserver.query(
        "SELECT tries FROM nextgen_outbox WHERE subject = ? AND given_up_at IS NULL", mail
    )
    return found[0][0] if found else None


@pytest.fixture(scope="module")
def put_down(mailing_homeserver, session_mailbox):
    """Return the ids of mails that were written down before the homeserver started.

    What the mail server refuses was refused by then: it refuses nothing any more after the first test.
    """
    homeserver = mailing_homeserver
    session_mailbox.refuse |= {
        "nobody@example.com": "550 5.1.1 nobody@example.com is nobody here",
        "later@example.com": "451 4.7.1 later@example.com comes too early",
    }
    ids = {
        "anna": put(homeserver, "anna@example.com", CODE, "de"),
        "bella": put(homeserver, "bella@example.com", AddressInUse("@<b onclick=x>:e")),
        "nobody": put(homeserver, "nobody@example.com", CODE),
        "later": put(homeserver, "later@example.com", CODE),
        "too late": put(homeserver, "too-late@example.com", CODE, expires=int(time.time()) - 1),
        "several": put(homeserver, "one@example.com, two@example.com", CODE),
        "header": put(homeserver, "a@x.org\r\nBcc: three@example.com", CODE),
        "unreadable": put(homeserver, "x@example.com", CODE, keys=Keyring.of(b"lost" * 8)),
    }
    # A start looks at what waits.
    homeserver.restart()
    assert eventually(lambda: tries(homeserver, ids["nobody"]) is None)
    assert eventually(lambda: (tries(homeserver, ids["later"]) or 0) > 1)
    session_mailbox.refuse.clear()
    yield ids
    homeserver.query("DELETE FROM nextgen_outbox WHERE kind = 'send_mail'")


@pytest.fixture
def waits(mailing_homeserver, put_down):
    """Return a function that says how often a mail was tried that still waits."""
    return lambda name: tries(mailing_homeserver, put_down[name])


def test_a_mail_says_the_same_as_text_and_as_html_in_the_readers_language(
    mailing_homeserver, mailbox, waits
):
    """It comes from where Synapse's own come from, and is forgotten when it is sent."""
    mail = mailbox.last_to("anna@example.com")

    assert mail.recipients == ("anna@example.com",)
    assert mail.subject == f"246810 ist dein Code für {mailing_homeserver.server_name}"
    assert str(mail.message["From"]) == "The Matrix of the tests <noreply@test.example>"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert mail.code == "246810"
    assert "gilt 10 Minuten" in mail.text
    assert "gilt 10 Minuten" in mail.html
    assert 'lang="de"' in mail.html
    assert eventually(lambda: waits("anna") is None)


@pytest.mark.usefixtures("put_down")
def test_c258_what_others_chose_is_text_in_a_mail(mailbox):
    """A user id is the least of it; every field goes the same way."""
    mail = mailbox.last_to("bella@example.com")

    assert "<b onclick" not in mail.html
    assert "&lt;b onclick=x&gt;" in mail.html
    assert "@<b onclick=x>:e" in mail.text


def test_c259_an_address_that_the_mail_server_refuses_is_not_tried_again(
    mailing_homeserver, put_down, waits
):
    """Nobody is woken for it: any stranger can type one."""
    assert eventually(lambda: waits("nobody") is None)
    log = mailing_homeserver.log_text()
    said = f"The mail server refused mail {put_down['nobody']} for ever: 550"

    assert eventually(lambda: said in mailing_homeserver.log_text())
    assert f"Gave up send_mail {put_down['nobody']}" not in log
    assert "is nobody here" not in log


def test_c259_one_that_it_refuses_for_now_comes_later(mailing_homeserver, mailbox, put_down, waits):
    """As a server does that lets strangers wait (greylisting)."""
    assert eventually(lambda: waits("later") is None)
    log = mailing_homeserver.log_text()

    assert f"Could not do send_mail {put_down['later']} yet" in log
    assert "The mail server answered 451" in log
    assert "comes too early" not in log
    assert mailbox.last_to("later@example.com").code == "246810"


def test_a_mail_that_comes_too_late_for_what_it_says_is_not_sent(mailbox, waits):
    """A code that is over helps nobody."""
    assert eventually(lambda: waits("too late") is None)
    assert mailbox.none_to("too-late@example.com")


def test_c257_an_address_that_is_none_is_no_way_to_somebody_else(mailbox, waits):
    """However it came to the account: the mail is forgotten, and not tried again."""
    for name in ("several", "header"):
        assert eventually(lambda name=name: waits(name) is None)
    for name in ("one", "two", "three"):
        assert mailbox.none_to(f"{name}@example.com")


def test_what_nobody_can_read_is_given_up_at_once(mailing_homeserver, put_down, waits):
    """The secret it was sealed with is gone."""
    assert eventually(lambda: waits("unreadable") is None)
    said = f"Gave up send_mail {put_down['unreadable']} after 1 tries"

    assert eventually(lambda: said in mailing_homeserver.log_text())
