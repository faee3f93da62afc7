"""Signing in on a device without a browser: asked, entered, decided and collected, each once."""

from functools import partial

import attrs
import pytest

from support.records import (
    ADDRESS,
    ALICE,
    BOB,
    MATRIX,
    NOW,
    PHONE,
    a_client,
    a_device_grant,
    a_device_opening,
    a_place,
    a_session,
    a_sign_in,
)
from synapse_nextgen_auth import config as configuration
from synapse_nextgen_auth.accounts.factors.levels import ONE_FACTOR
from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.flows import begin_session, device, end_session, sign_in
from synapse_nextgen_auth.flows.device import Entered, Refused, TooManyTries
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants import user_codes
from synapse_nextgen_auth.oauth.grants.device_grants import LONGEST_LIFE, DeviceGrant, polled
from synapse_nextgen_auth.oauth.sessions import Began, Sender, Session
from synapse_nextgen_auth.store import clients, device_grants, sessions, throttle
from synapse_nextgen_auth.store.device_grants import Codes

COOKIE = a_sign_in().digest
TELEVISION = Sender("192.0.2.9", "Television/2")
GRANT = a_device_grant()


def ask(tables, name="1", **fields):
    """Write down what a device asks for."""
    grant = a_device_grant(**fields)
    codes = Codes(f"device code {name}", f"user code {name}", f"half {name}")
    assert tables.run(device.request, grant, codes)
    return grant


def enter(code="user code 1", *, at=0, browser=COOKIE, address=ADDRESS, half="half 1"):
    """Return the flow that enters a code."""
    return partial(device.enter, entered=Entered(code, half, browser, address), now=NOW + at)


def approve(grant=GRANT, *, at=0, by=None):
    """Return the flow that lets the device in."""
    return partial(device.approve, grant=grant, by=by or a_sign_in(), now=NOW + at, address=ADDRESS)


def redeem(session_id="aa" * 16, *, at=0, code="device code 1"):
    """Return the flow that collects the session."""
    opening = a_device_opening(session_id, sender=TELEVISION)
    return partial(device.redeem, device_code=code, opening=opening, now=NOW + at)


def ready(tables, **fields):
    """Take a grant to where the device may collect its session."""
    tables.run(sign_in.sign_in, a_sign_in(), a_place())
    grant = ask(tables, **fields)
    assert isinstance(tables.run(enter()), DeviceGrant)
    assert tables.run(approve())
    return grant


def error(outcome):
    """Return the error code of a refusal."""
    assert isinstance(outcome.value, OAuthError), outcome
    assert outcome.value.status == 400
    return outcome.value.code


def test_a_device_asks(tables, transact):
    """What it asked for stands in the row, and its client was used."""
    tables.run(clients.add, a_client(created_at=NOW - 7200), digest=None)
    codes = Codes("device code", "user code", "half")

    assert transact(device.request, GRANT, codes)
    assert tables.run(device_grants.get, GRANT.grant_id) == GRANT
    assert tables.query("SELECT last_used_at FROM nextgen_clients") == [(NOW,)]


@pytest.mark.parametrize("taken", ["device_code", "user_code"])
def test_c146_a_code_that_is_taken_is_drawn_again(tables, transact, taken):
    """Both are unique; the caller hears of it and nothing is written."""
    ask(tables)
    codes = Codes("device code 2", "user code 2", "half 2")
    codes = attrs.evolve(codes, **{taken: f"{taken.replace('_', ' ')} 1"})

    assert not transact(device.request, a_device_grant(grant_id="another"), codes)
    assert tables.run(device_grants.get, "another") is None


def test_an_approved_device_collects_its_session(tables, transact):
    """Once; the session is the account's that approved, seen from the device's address."""
    ready(tables)

    outcome = transact(redeem(at=9))

    session = a_session(
        session_id="aa" * 16,
        address=TELEVISION.address,
        user_agent=TELEVISION.user_agent,
        **dict.fromkeys(["rotated_at", "created_at", "last_active_at"], NOW + 9),
        sign_in_id=COOKIE,
        began_by=Began.DEVICE,
        acr=ONE_FACTOR,
        level=1,
        proven_at=NOW,
    )
    assert (outcome.value, outcome.ended) == (session, ())
    assert tables.run(sessions.get, "aa" * 16) == session
    assert error(transact(redeem("bb" * 16, at=10))) == "invalid_grant"
    assert tables.run(sessions.get, "aa" * 16).ended_at is None
    assert tables.events() == ["consented", "signed_in", "session_begun"]


def test_c143_polls_at_once_collect_one_session(tables):
    """Over however many workers."""
    ready(tables)

    outcomes = tables.race([redeem(f"{n:02}" * 16) for n in range(10)])

    assert sum(isinstance(outcome.value, Session) for outcome in outcomes) == 1
    assert tables.count("nextgen_sessions") == 1


def test_c349_the_same_collection_again_goes_on_where_it_was(tables, transact):
    """The connection broke while it was committed: nobody knew that it had been written."""
    ready(tables)
    first = tables.run(redeem())

    assert transact(redeem()) == first
    assert error(transact(redeem("bb" * 16))) == "invalid_grant"


def test_c346_a_collection_that_is_undone_can_be_done_again(tables, transact):
    """The device could not be made: the session ends, and the device code is good as it was."""
    ready(tables)
    session = tables.run(redeem()).value

    undone = transact(begin_session.undo, session, now=NOW)
    again = transact(redeem("bb" * 16, at=1))

    assert undone.changed == ("aa" * 16,)
    assert again.value.session_id == "bb" * 16


def test_c310_a_device_that_is_there_by_now_is_not_taken_over(tables, transact):
    """Two grants for one new id, both agreed to: whoever collects second gets nothing."""
    ready(tables)
    ask(tables, "2", grant_id="another")
    tables.run(enter("user code 2", half="half 2"))
    tables.run(approve(a_device_grant(grant_id="another")))
    first = tables.run(redeem("aa" * 16)).value

    assert error(transact(redeem("bb" * 16, code="device code 2"))) == "access_denied"
    assert tables.run(sessions.get, first.session_id).ended_at is None
    assert tables.count("nextgen_sessions") == 1


def test_c310_grants_for_one_new_id_collected_at_once_leave_one_session(tables):
    """None of the others' sessions began and ended in between."""
    ready(tables)
    for n in range(2, 12):
        ask(tables, str(n), grant_id=f"grant {n}")
        tables.run(enter(f"user code {n}", half=f"half {n}"))
        tables.run(approve(a_device_grant(grant_id=f"grant {n}")))

    outcomes = tables.race([redeem(f"{n:02}" * 16, code=f"device code {n}") for n in range(1, 12)])
    refused = [outcome for outcome in outcomes if not isinstance(outcome.value, Session)]

    assert tables.count("nextgen_sessions") == 1
    assert {error(outcome) for outcome in refused} == {"access_denied"}
    assert len(refused) == 10


@pytest.mark.parametrize("hidden", [False, True])
def test_c310_a_device_of_synapse_is_not_taken_over(tables, transact, hidden):
    """A legacy sign-in took the id, or it is that of a cross-signing key."""
    ready(tables)
    tables.query(
        "INSERT INTO devices (user_id, device_id, hidden) VALUES (?, ?, ?) RETURNING 1",
        *(ALICE, PHONE, hidden),
    )

    assert error(transact(redeem())) == "access_denied"
    assert tables.count("nextgen_sessions") == 0


def test_c310_the_same_id_of_somebody_else_is_no_obstacle(tables, transact):
    """Device ids are per account."""
    ready(tables)
    tables.run(sessions.add, a_session(session_id="01" * 16, user_id=BOB))

    assert isinstance(transact(redeem()).value, Session)


@pytest.mark.parametrize(
    ("prepare", "at", "code"),
    [
        pytest.param(None, 0, "invalid_grant", id="pending"),
        pytest.param(None, 900, "invalid_grant", id="expired"),
        pytest.param("refuse", 0, "invalid_grant", id="denied"),
    ],
)
def test_c142_without_approval_there_is_nothing_to_collect(tables, transact, prepare, at, code):
    """Whatever the reason; polling tells it in the words of RFC 8628."""
    grant = ask(tables)
    if prepare:
        tables.run(device_grants.refuse, grant.grant_id, by=None, now=NOW)

    assert error(transact(redeem(at=at))) == code
    assert tables.count("nextgen_sessions") == 0


def test_c151_an_approval_is_collected_in_time(tables, transact):
    """On the second."""
    ready(tables)

    assert error(transact(redeem(at=900))) == "expired_token"
    assert isinstance(transact(redeem(at=899)).value, Session)


@pytest.mark.parametrize("how", ["sign out", "everywhere", "password or lock"])
def test_c145_whoever_signs_out_takes_the_approval_back(tables, transact, how):
    """Perhaps it was not meant."""
    ready(tables)
    if how == "sign out":
        tables.run(sign_in.sign_out, (COOKIE,), now=NOW, address=None)
    elif how == "everywhere":
        tables.run(end_session.sign_out_everywhere, ALICE, now=NOW)
    else:
        tables.run(end_session.withdraw, ALICE, now=NOW)

    assert error(transact(redeem())) == "access_denied"
    assert error(transact(redeem(at=1))) == "access_denied"


def test_signing_in_again_keeps_what_was_just_approved(tables, transact):
    """The same person, in another tab: the device still gets in, until they sign out."""
    ready(tables)
    again = a_sign_in("again", signed_in_at=NOW + 1)
    tables.run(sign_in.sign_in, again, a_place(COOKIE, renews=a_sign_in()))

    assert isinstance(transact(redeem(at=2)).value, Session)


@pytest.mark.parametrize("signs_out", ["before", "after"])
def test_signing_in_again_brings_nothing_back(tables, transact, signs_out):
    """What was taken back by signing out, before or after, stays so."""
    ready(tables)
    again = a_sign_in("again", signed_in_at=NOW + 2)
    if signs_out == "before":
        tables.run(sign_in.sign_out, (COOKIE,), now=NOW + 1, address=None)
    tables.run(sign_in.sign_in, again, a_place(COOKIE, renews=a_sign_in()))
    if signs_out == "after":
        tables.run(sign_in.sign_out, (again.digest,), now=NOW + 3, address=None)

    assert error(transact(redeem(at=4))) == "access_denied"


def test_c145_signing_out_takes_back_what_that_browser_approved_only(tables, transact):
    """Another browser of the same account, another device."""
    ready(tables)
    other = a_sign_in("other cookie")
    tables.run(sign_in.sign_in, other, a_place(other.digest))
    grant = ask(tables, "2", grant_id="2", scope=MATRIX.replace(PHONE, "TELEVISION_1"))
    assert isinstance(tables.run(enter("user code 2", browser=other.digest)), DeviceGrant)
    assert tables.run(approve(grant, by=other))
    tables.run(sign_in.sign_out, (COOKIE,), now=NOW, address=None)

    assert error(transact(redeem())) == "access_denied"
    assert isinstance(transact(redeem("bb" * 16, code="device code 2")).value, Session)


def test_c142_a_device_polls_for_itself(tables, transact):
    """Among many that are looked up together: another client's device code is an unknown one."""
    grant, other = ask(tables), ask(tables, "2", grant_id="2")

    asked = ("device code 1", "unknown", "device code 2")
    found = tables.run(device_grants.by_device_codes, asked)

    assert found == {"device code 1": grant, "device code 2": other}
    assert polled(found["device code 1"], client_id="app") == grant
    for code, client_id in (("device code 1", "other"), ("unknown", "app")):
        with pytest.raises(OAuthError, match="invalid_grant"):
            polled(found.get(code), client_id=client_id)
    assert tables.run(device_grants.get, grant.grant_id) == grant


def test_c141_an_impatient_device_waits_longer_each_time(tables, transact):
    """Five seconds more, for this device alone (RFC 8628 section 3.5)."""
    ask(tables)
    ask(tables, "2", grant_id="patient")

    for at in (1, 2):
        transact(device.slow_down, GRANT, now=NOW + at)

    slowed = tables.run(device_grants.get, GRANT.grant_id)
    assert (slowed.poll_interval, slowed.slowed_at) == (15, NOW + 2)
    assert tables.run(device_grants.get, "patient").poll_interval == 5


def test_c150_a_code_belongs_to_the_browser_that_entered_it(tables, transact):
    """The same browser may enter it again; to another one it is unknown."""
    ask(tables)

    first = transact(enter())
    again = transact(enter(at=1))
    other = transact(enter(browser="another", address="198.51.100.1", at=2))

    assert first.grant_id == again.grant_id == GRANT.grant_id
    assert other is Refused.UNKNOWN
    assert transact(device.find, GRANT.grant_id, browser=COOKIE, now=NOW).browser == COOKIE
    for browser in ("another", None):
        found = transact(device.find, GRANT.grant_id, browser=browser, now=NOW)
        assert found is Refused.UNKNOWN


def test_a_code_stays_with_the_browser_that_signs_in(tables, transact):
    """It belongs to the browser and to none of its accounts."""
    ask(tables)
    transact(enter(browser="binding"))

    transact(sign_in.sign_in, a_sign_in(), a_place("binding"))

    found = transact(device.find, GRANT.grant_id, browser="binding", now=NOW)
    assert isinstance(found, DeviceGrant)


def test_nobody_but_the_one_asked_for_lets_it_in(tables, transact):
    """Whatever a page believed: the row decides."""
    ask(tables, asked_for=BOB)
    tables.run(enter())

    assert transact(approve()) is False
    assert transact(approve(by=a_sign_in(user_id=BOB))) is True


def test_somebody_else_who_signs_in_there_takes_nothing_back(tables, transact):
    """Several accounts share a browser: what one approved is good while that one is signed in."""
    ready(tables)
    bob = a_sign_in("bob", user_id=BOB)
    tables.run(sign_in.sign_in, bob, a_place(COOKIE))
    tables.run(sign_in.sign_out, (bob.digest,), now=NOW, address=None)

    assert isinstance(transact(redeem(at=1)).value, Session)


@pytest.mark.parametrize(
    ("decide", "at", "found"),
    [
        pytest.param(None, 899, DeviceGrant, id="open"),
        pytest.param(None, 900, Refused.EXPIRED, id="c151-expired"),
        pytest.param("approve", 0, Refused.DECIDED, id="approved"),
        pytest.param("refuse", 0, Refused.DECIDED, id="denied"),
    ],
)
def test_c151_a_decided_or_old_grant_does_not_go_on(tables, transact, decide, at, found):
    """Neither on its page nor by entering the code again."""
    grant = ask(tables)
    tables.run(enter())
    if decide == "approve":
        tables.run(approve())
    elif decide == "refuse":
        tables.run(device_grants.refuse, grant.grant_id, by=None, now=NOW)

    page = transact(device.find, grant.grant_id, browser=COOKIE, now=NOW + at)
    entered = transact(enter(at=at))

    if found is DeviceGrant:
        assert isinstance(page, DeviceGrant)
        assert isinstance(entered, DeviceGrant)
    else:
        assert page is found
        assert entered is Refused.UNKNOWN


def test_c150_a_decision_is_made_once(tables, transact):
    """By the first click, whoever clicks next."""
    grant = ask(tables)

    assert transact(approve()) is True
    assert transact(approve(at=1, by=a_sign_in(user_id=BOB))) is False
    assert transact(device_grants.refuse, grant.grant_id, by=None, now=NOW + 2) is False
    assert tables.run(device_grants.get, grant.grant_id).user_id == ALICE
    assert tables.query("SELECT kind, user_id, detail FROM nextgen_events") == [
        ("consented", ALICE, f"device grant, {MATRIX}")
    ]


def test_c150_clicks_at_once_decide_once(tables):
    """A double click, or two people."""
    ask(tables)

    assert sorted(tables.race([approve()] * 6)) == [False] * 5 + [True]


def test_c147_five_wrong_codes_and_a_browser_waits(tables, transact):
    """The right code does not help then, and the answer does not tell; later it works."""
    ask(tables)
    for n in range(5):
        assert transact(enter(f"wrong {n}", at=n, half=f"far {n}")) is Refused.UNKNOWN

    assert transact(enter("wrong", at=5)) == TooManyTries(device.BROWSER_WINDOW - 5)
    assert transact(enter(at=6)) == TooManyTries(device.BROWSER_WINDOW - 6)
    assert isinstance(transact(enter(at=7, browser="neighbour")), DeviceGrant)


def test_c147_fifty_wrong_codes_and_a_network_waits(tables, transact):
    """However many browsers and addresses it has; after the window it may go on."""
    ask(tables, expires_at=NOW + 10**6)
    for n in range(device.WRONG_PER_NETWORK):
        wrong = {"browser": f"browser {n}", "address": f"2001:db8:0:7::{n:x}", "half": f"far {n}"}
        assert tables.run(enter(f"wrong {n}", **wrong)) is Refused.UNKNOWN
    beside = {"browser": "fresh", "address": "2001:db8:0:7:ffff::1"}
    tries = tables.query("SELECT count FROM nextgen_throttle WHERE key LIKE '%/64'")

    assert transact(enter(**beside)) == TooManyTries(device.NETWORK_WINDOW)
    assert tries == [(device.WRONG_PER_NETWORK,)]
    assert isinstance(transact(enter(browser="far", address="2001:db8:0:8::1")), DeviceGrant)


def test_c147_a_network_that_waited_may_go_on(tables, transact):
    """And nothing was written about it meanwhile."""
    ask(tables, expires_at=NOW + 10**6)
    for n in range(device.WRONG_PER_NETWORK):
        tables.run(enter(f"wrong {n}", browser=f"browser {n}", half=f"far {n}"))
    before = tables.query("SELECT * FROM nextgen_throttle ORDER BY key")

    for n in range(10):
        assert isinstance(transact(enter(browser=f"fresh {n}", at=n)), TooManyTries)

    assert tables.query("SELECT * FROM nextgen_throttle ORDER BY key") == before
    assert isinstance(transact(enter(browser="fresh", at=device.NETWORK_WINDOW)), DeviceGrant)


def test_c147_all_tries_of_a_network_succeed_with_two_to_the_minus_32():
    """Reckoned for one code and its longest life: a window is longer, so two of them meet it."""
    codes = len(set(user_codes.ALPHABET)) ** user_codes.LENGTH

    assert device.NETWORK_WINDOW >= LONGEST_LIFE + 2 * SKEW
    assert 2 * device.WRONG_PER_NETWORK / codes <= 2**-32
    assert configuration.read({"device_grants": {"lifetime": f"{LONGEST_LIFE}s"}})
    with pytest.raises(configuration.ConfigProblems):
        configuration.read({"device_grants": {"lifetime": f"{LONGEST_LIFE + 1}s"}})


def test_c147_whenever_a_guesser_begins_the_windows_of_a_life_hold(tables):
    """One that tries once, waits for the end of that window, and then tries at every second."""
    key, tries = "user code 192.0.2.1", []
    limit, window = device.WRONG_PER_NETWORK, device.NETWORK_WINDOW
    with tables.begin() as txn:
        for at in [0, *range(window - limit, 2 * window)]:
            if throttle.wait(txn, key, limit=limit, window=window, now=NOW + at) is None:
                throttle.count(txn, key, window=window, now=NOW + at)
                tries.append(at)
    most = max(sum(a <= at < a + LONGEST_LIFE for at in tries) for a in range(2 * window))

    assert most == 2 * limit - 1


def test_c147_guesses_at_once_are_all_counted(tables):
    """Limits hold for a burst as for a row of tries."""
    ask(tables)

    found = tables.race([enter(f"wrong {n}", half=f"far {n}") for n in range(6)])

    assert found.count(Refused.UNKNOWN) == device.WRONG_PER_BROWSER
    assert sum(isinstance(answer, TooManyTries) for answer in found) == 1


def test_c147_guesses_close_to_a_code_kill_it(tables, transact):
    """Five codes that begin like it: somebody searches, and the second half is only 17 bits."""
    ask(tables)
    for n in range(5):
        wrong = enter(f"wrong {n}", browser=f"browser {n}", address=f"address {n}")
        assert transact(wrong) is Refused.UNKNOWN

    assert transact(enter(browser="its person")) is Refused.UNKNOWN


def test_guesses_far_from_a_code_leave_it_alone(tables, transact):
    """Nobody can spoil the sign-in of others by guessing at random."""
    ask(tables)
    for n in range(50):
        tables.run(enter(f"wrong {n}", browser=f"browser {n}", address=f"address {n}", half="far"))

    assert isinstance(transact(enter(browser="its person")), DeviceGrant)


def test_guesses_after_the_approval_spoil_nothing(tables, transact):
    """The device collects what its person agreed to."""
    ready(tables)
    for n in range(6):
        tables.run(enter(f"wrong {n}", browser=f"browser {n}", address=f"address {n}"))

    assert isinstance(transact(redeem()).value, Session)


def test_the_device_of_the_scope_is_that_of_the_session(tables, transact):
    """As the client allocated it."""
    ready(tables)

    assert transact(redeem()).value.device_id == PHONE
