"""Sweeping: in bounded bites, what nobody needs any more and nothing else."""

import statistics
import time

import pytest

from support.records import (
    ALICE,
    NOW,
    PHONE,
    a_client,
    a_device_grant,
    a_grant,
    a_session,
    a_sign_in,
    an_attempt,
)
from support.scale import times
from support.tables import contents
from support.waiting import busy
from synapse_nextgen_auth.accounts import ulids
from synapse_nextgen_auth.accounts.approvals import Approval, Operation
from synapse_nextgen_auth.accounts.attempts.arrivals import Arrival
from synapse_nextgen_auth.accounts.codes import Code
from synapse_nextgen_auth.accounts.factors import lost
from synapse_nextgen_auth.accounts.factors.apps import App
from synapse_nextgen_auth.accounts.factors.lost import Drawn, Terms
from synapse_nextgen_auth.accounts.factors.passkeys.challenges import LIFETIME
from synapse_nextgen_auth.accounts.factors.policy import LONGEST as LONGEST_REMEMBERED
from synapse_nextgen_auth.accounts.factors.policy import Remembered
from synapse_nextgen_auth.accounts.hashes import PasswordHash
from synapse_nextgen_auth.accounts.invitations import Invitation
from synapse_nextgen_auth.accounts.links import LONGEST, Link, LinkKind
from synapse_nextgen_auth.accounts.notice_times import LONGEST_QUESTION
from synapse_nextgen_auth.accounts.notices import Notice
from synapse_nextgen_auth.accounts.works import RemovePushers
from synapse_nextgen_auth.oauth.clients.auth_methods import AuthMethod
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.oauth.legacy_sign_ins import LegacySignIn
from synapse_nextgen_auth.oauth.rendezvous import Kind, Rendezvous
from synapse_nextgen_auth.store import (
    approvals,
    arrivals,
    assertions,
    attempts,
    clients,
    codes,
    consents,
    device_grants,
    events,
    factors,
    grants,
    invitations,
    legacy_logins,
    links,
    lost_factors,
    notices,
    outbox,
    passkeys,
    passwords,
    provider_logouts,
    provider_sessions,
    remembered,
    rendezvous,
    revoked_tokens,
    session_browsers,
    sessions,
    sign_ins,
    sweep,
    throttle,
    unused_clients,
)
from synapse_nextgen_auth.store import ulids as names
from synapse_nextgen_auth.store.device_grants import Codes
from synapse_nextgen_auth.store.revoked_tokens import RevokedToken

DAY = 24 * 3600


def add_grant(txn, name, at):
    grants.add(txn, a_grant(grant_id=name, expires_at=at))


def add_session(txn, name, at):
    ended = {"ended_at": at, "end_reason": "revoked"}
    sessions.add(txn, a_session(session_id=name, **ended))


def add_device_grant(txn, name, at):
    codes = Codes(f"device {name}", f"user {name}", name)
    device_grants.add(txn, a_device_grant(grant_id=name, expires_at=at), codes)


def add_attempt(txn, name, at):
    attempts.add(txn, an_attempt(attempt_id=name, expires_at=at))


def add_rendezvous(txn, name, at):
    rendezvous.add(txn, Rendezvous(name, Kind.ETAG, "data", "sequence", at, at, at))


def add_legacy_login(txn, name, at):
    legacy_logins.add(txn, LegacySignIn(name, "b", "https://a.example/", None, None, None, at, at))


def add_code(txn, name, at):
    codes.put(txn, Code(name, "mac", "sealed", "mail", at, at))


def add_throttle(txn, name, at):
    throttle.count(txn, name, window=900, now=at)


def add_assertion(txn, name, at):
    assertions.spend(txn, client_id="app", jti=name, expires_at=at)


def add_approval(txn, name, at):
    approvals.add(txn, Approval(name, ALICE, "s", Operation.CROSS_SIGNING_RESET, at))


def add_consent(txn, name, at):
    consents.remember(txn, user_id=ALICE, client_id=name, scope="openid", now=at)


def add_event(txn, name, at):
    events.add(txn, Event(EventKind.SIGNED_IN, at, name))


def add_password(txn, name, at):
    passwords.add(txn, PasswordHash(name, "$argon2id$", at))


def add_entry(txn, name, at):
    outbox.put(txn, RemovePushers(name, 1), now=at)


def add_session_browser(txn, name, at):
    session_browsers.add(txn, name, browser="browser", now=at)


def add_arrival(txn, name, at):
    arrivals.add(txn, Arrival(name, "attempt", "oidc-works", at))


def add_provider_logout(txn, name, at):
    provider_logouts.note(txn, "oidc-works", name, user_id=None, now=at)


def add_provider_session(txn, name, at):
    there = {"provider": "oidc-works", "provider_session": name}
    provider_sessions.note(txn, a_sign_in(name, signed_in_at=at, **there))


def add_link(txn, name, at):
    links.add(txn, Link(name, LinkKind.COMMAND, ALICE, at - 60, at))


def add_invitation(txn, name, at):
    invitations.add(txn, Invitation(name, at - 60, at), times=None)


def add_notice(txn, name, at):
    notices.is_carried(txn, name, Notice.PASSWORD, now=at)


def add_new_notice(txn, name, at):
    notices.is_carried(txn, name, Notice.PASSWORD, now=at + LONGEST_QUESTION)


def add_remembered(txn, name, at):
    remembered.add(txn, Remembered(name, name, ALICE, at - 60, at))


def add_new_remembered(txn, name, at):
    remembered.add(txn, Remembered(name, name, ALICE, at, at + LONGEST_REMEMBERED + 1))


def add_lost(txn, name, at):
    drawn = Drawn(name, name, "sealed")
    asked = lost.asked(name, drawn, Terms(wait=DAY), now=at - DAY - lost.KEPT)
    lost_factors.put(txn, asked, now=at - DAY - lost.KEPT)


def add_new_lost(txn, name, at):
    longest = Terms(wait=lost.LONGEST_WAIT + 1)
    lost_factors.put(txn, lost.asked(name, Drawn(name, name, "s"), longest, now=at), now=at)


def add_app(txn, name, at):
    factors.add_app(txn, App(name, ALICE, "sealed", "Phone", at))


def add_new_link(txn, name, at):
    links.add(txn, Link(name, LinkKind.COMMAND, ALICE, at, at + LONGEST + 1))


def add_challenge(txn, name, at):
    passkeys.spend(txn, name.encode(), now=at - LIFETIME)


def add_revoked(txn, name, at):
    revoked_tokens.add(txn, RevokedToken(name, at))


# How a row gets there, and how many seconds it stays after its time.
ROWS = {
    "expired grants": (add_grant, "nextgen_grants", 900),
    "ended sessions": (add_session, "nextgen_sessions", 30 * DAY),
    "expired device grants": (add_device_grant, "nextgen_device_grants", DAY),
    "attempts": (add_attempt, "nextgen_attempts", 900),
    "rendezvous": (add_rendezvous, "nextgen_rendezvous", 0),
    "codes": (add_code, "nextgen_codes", 3600),
    "legacy sign-ins": (add_legacy_login, "nextgen_legacy_logins", 900),
    "authenticator apps that were never confirmed": (add_app, "nextgen_totp_apps", 900),
    "arrivals": (add_arrival, "nextgen_arrivals", DAY),
    "links": (add_link, "nextgen_links", DAY),
    "remembered browsers": (add_remembered, "nextgen_remembered", 0),
    "requests to remove lost factors": (add_lost, "nextgen_lost_factors", 7 * DAY),
    "invitations": (add_invitation, "nextgen_invitations", 90 * DAY),
    "throttles": (add_throttle, "nextgen_throttle", DAY),
    "client assertions": (add_assertion, "nextgen_client_assertions", 60),
    "challenges of passkeys": (add_challenge, "nextgen_passkey_challenges", 60),
    "revoked tokens": (add_revoked, "nextgen_revoked_tokens", 60),
    "approvals": (add_approval, "nextgen_approvals", 3 * DAY),
    "consents": (add_consent, "nextgen_consents", 365 * DAY),
    "notices": (add_notice, "nextgen_notices", DAY),
    "events": (add_event, "nextgen_events", 180 * DAY),
    "passwords of nobody": (add_password, "nextgen_passwords", 3 * DAY),
    "entries of the outbox": (add_entry, "nextgen_outbox", 30 * DAY),
    "browsers of sessions": (add_session_browser, "nextgen_session_browsers", 400 * DAY),
    "logouts of providers": (add_provider_logout, "nextgen_provider_logouts", 900),
    "sign-ins of providers": (add_provider_session, "nextgen_provider_sessions", 400 * DAY),
}


def test_every_kind_is_tested_here():
    """A new kind needs a row above."""
    assert set(sweep.KINDS) == set(ROWS)


@pytest.mark.parametrize("kind", ROWS)
def test_what_is_stale_goes_to_the_second(tables, transact, kind):
    """And what is not yet stays."""
    add, table, keep = ROWS[kind]
    for name, age in (("stale", keep + 1), ("just not", keep), ("fresh", 0), ("ahead", -5)):
        tables.run(add, name, NOW - age)

    assert transact(sweep.stale, kind=kind, now=NOW) == 1
    assert transact(sweep.stale, kind=kind, now=NOW) == 0
    assert tables.count(table) == 3


@pytest.mark.parametrize("kind", ROWS)
def test_c353_a_bite_is_bounded(tables, kind, monkeypatch):
    """Millions of stale rows hold no lock for long, and drain in the end."""
    monkeypatch.setattr(sweep, "BITE", 10)
    add, table, keep = ROWS[kind]
    with tables.begin() as txn:
        for n in range(25):
            add(txn, f"{n:02}", NOW - keep - 1 - n)

    bites = [tables.run(sweep.stale, kind=kind, now=NOW) for _ in range(4)]

    assert bites == [10, 10, 5, 0]
    assert tables.count(table) == 0


def test_sweeping_one_kind_leaves_the_others(tables):
    """All in one database."""
    with tables.begin() as txn:
        for add, _, keep in ROWS.values():
            add(txn, "stale", NOW - keep - 1)
    before = tables.run(contents)

    for kind, (_, table, _) in ROWS.items():
        tables.run(sweep.stale, kind=kind, now=NOW)
        before = {**before, table: []}
        assert tables.run(contents) == before


def test_c106_a_living_session_is_never_swept(tables):
    """However old and silent it is: no limit was set for it."""
    tables.run(sessions.add, a_session(created_at=0, rotated_at=0, last_active_at=0))

    assert tables.run(sweep.stale, kind="ended sessions", now=NOW) == 0
    assert tables.run(sessions.find_by_device, ALICE, PHONE) is not None


def test_c106_an_ended_session_is_known_for_a_month(tables):
    """Until then a replayed token of it finds out that it is over, and not unknown."""
    tables.run(add_session, "ended", NOW)

    tables.run(sweep.stale, kind="ended sessions", now=NOW + 30 * DAY)

    assert tables.run(sessions.get, "ended").ended_at == NOW


def test_browsers_go_when_they_were_idle_for_too_long(tables, transact):
    """They would not be let in anyway."""
    for name, seen in (("idle", NOW - 1), ("here", NOW)):
        tables.run(sign_ins.add, a_sign_in(name, last_active_at=seen))

    assert transact(sweep.idle_browsers, idle_since=NOW) == 1
    assert tables.run(sign_ins.get, a_sign_in("here").digest) is not None


UNUSED_SINCE = NOW - 30 * DAY


@pytest.mark.parametrize(
    ("session", "grant", "goes"),
    [
        pytest.param(None, None, True, id="nothing"),
        pytest.param({}, None, False, id="c169-session"),
        pytest.param({"device_id": None}, None, False, id="c169-session-without-device"),
        pytest.param({"client_id": "other"}, None, True, id="session-of-another"),
        pytest.param(None, {}, False, id="c169-grant"),
        pytest.param(None, {"approved_at": NOW}, False, id="c169-code-on-its-way"),
        pytest.param(None, {"expires_at": NOW}, True, id="expired-grant"),
        pytest.param(None, {"client_id": "other"}, True, id="grant-of-another"),
        pytest.param(
            {"ended_at": NOW - 60, "end_reason": "revoked"}, None, False, id="signed-out-just-now"
        ),
        pytest.param(
            {"ended_at": UNUSED_SINCE - 1, "end_reason": "revoked"}, None, True, id="out-long-ago"
        ),
    ],
)
def test_a_client_that_nobody_uses_goes(tables, transact, session, grant, goes):
    """Never one that somebody is signed in with, signs in with, or was until lately."""
    tables.run(clients.add, a_client(created_at=UNUSED_SINCE - 1), digest="d")
    if session is not None:
        tables.run(sessions.add, a_session(**session))
    if grant is not None:
        tables.run(grants.add, a_grant(**grant))

    looked_at, gone = transact(unused_clients.old_clients, unused_since=UNUSED_SINCE, now=NOW)

    assert (looked_at, gone) == (1, int(goes))
    assert (tables.run(clients.get, "app") is None) == goes


@pytest.mark.parametrize(("expires_at", "goes"), [(NOW + 1, False), (NOW, True)])
def test_c169_a_client_whose_device_waits_stays(tables, transact, expires_at, goes):
    """A pending device grant is a pending grant."""
    tables.run(clients.add, a_client(created_at=0), digest="d")
    tables.run(add_device_grant, "waiting", expires_at)

    assert transact(unused_clients.old_clients, unused_since=UNUSED_SINCE, now=NOW) == (
        1,
        int(goes),
    )


def test_a_client_that_was_used_lately_stays(tables, transact):
    """To the second."""
    tables.run(clients.add, a_client(created_at=UNUSED_SINCE), digest="d")

    assert transact(unused_clients.old_clients, unused_since=UNUSED_SINCE, now=NOW) == (0, 0)


def idle(tables, *, is_public=True, after=None, forget=None):
    """Look at one bite of the clients that registered more than a day ago and began nothing."""
    bounds = {"registered_before": NOW - DAY, "is_public": is_public, "unused_since": UNUSED_SINCE}
    place = after or unused_clients.Place()
    told = [] if forget is None else forget
    with tables.begin() as txn:
        found = unused_clients.idle_clients(txn, after=place, **bounds, now=NOW)
        told.extend(txn.gone)
    return found


@pytest.mark.parametrize("is_public", [True, False])
def test_c169_a_client_that_never_began_a_grant_goes_soon(tables, is_public):
    """After its day or week; one of the other kind, one that was used and a younger one stay."""
    method = AuthMethod.NONE if is_public else AuthMethod.PRIVATE_KEY_JWT
    other = AuthMethod.SECRET_BASIC if is_public else AuthMethod.NONE
    name = 'a "auth_method": "none"'
    with tables.begin() as txn:
        for client_id, auth_method, age in (
            ("old", method, DAY + 1),
            ("young", method, DAY),
            ("used", method, DAY + 1),
            ("other", other, DAY + 1),
        ):
            made = {"auth_method": auth_method, "created_at": NOW - age, "client_name": name}
            clients.add(txn, a_client(client_id=client_id, **made), digest=client_id)
        clients.touch(txn, "used", now=NOW - DAY - 1)
    forgotten = []

    place, gone = idle(tables, is_public=is_public, forget=forgotten)

    assert (gone, forgotten) == (1, ["old"])
    assert idle(tables, is_public=is_public, after=place) == (None, 0)
    left = [name for (name,) in tables.query("SELECT client_id FROM nextgen_clients ORDER BY 1")]
    assert left == ["other", "used", "young"]


@pytest.mark.parametrize("what", ["session", "ended session", "grant", "device grant"])
def test_c169_whoever_was_let_in_by_an_earlier_version_stays(tables, what):
    """That did not note the first use of a client within an hour of its registration."""
    tables.run(clients.add, a_client(created_at=NOW - 2 * DAY), digest="d")
    if "session" in what:
        ended = {"ended_at": NOW - DAY, "end_reason": "revoked"} if "ended" in what else {}
        tables.run(sessions.add, a_session(**ended))
    elif what == "grant":
        tables.run(grants.add, a_grant())
    else:
        tables.run(add_device_grant, "waiting", NOW + 1)

    assert idle(tables)[1] == 0
    assert tables.run(clients.get, "app") is not None


def test_c353_a_look_at_idle_clients_is_bounded_and_goes_on_where_it_was(tables, monkeypatch):
    """Those that stay are not looked at again, however many have the same second."""
    monkeypatch.setattr(unused_clients, "BITE", 10)
    with tables.begin() as txn:
        for n in range(25):
            at = NOW - 2 * DAY + n // 12
            clients.add(txn, a_client(client_id=f"{n:02}", created_at=at), digest=f"{n}")
            kept = {"session_id": f"s{n:02}", "client_id": f"{n:02}", "device_id": None}
            if n % 2:
                sessions.add(txn, a_session(**kept))

    place, found = unused_clients.Place(), []
    while place is not None:
        place, gone = idle(tables, after=place)
        found.append(gone)

    assert found == [5, 5, 3, 0]
    assert tables.count("nextgen_clients") == 12


@pytest.mark.parametrize("sweeper", ["clients", "browsers"])
def test_c353_bites_of_clients_and_browsers_are_bounded_too(tables, sweeper, monkeypatch):
    """As for everything else; those in use do not keep the others from going."""
    for each in (sweep, unused_clients):
        monkeypatch.setattr(each, "BITE", 10)
    with tables.begin() as txn:
        for n in range(25):
            clients.add(txn, a_client(client_id=f"{n:02}", created_at=0), digest=None)
            sessions.add(txn, a_session(session_id=f"s{n:02}", client_id="00", device_id=None))
            sign_ins.add(txn, a_sign_in(f"{n}", last_active_at=0))

    def bite():
        if sweeper == "clients":
            return tables.run(unused_clients.old_clients, unused_since=NOW, now=NOW)[1]
        return tables.run(sweep.idle_browsers, idle_since=NOW)

    assert sorted((bite() for _ in range(4)), reverse=True) == (
        [10, 9, 5, 0] if sweeper == "clients" else [10, 10, 5, 0]
    )


def test_a_client_in_use_is_not_looked_at_again_each_time(tables):
    """Or each round would look through all clients of all living sessions."""
    tables.run(clients.add, a_client(created_at=UNUSED_SINCE - 1), digest="d")
    tables.run(sessions.add, a_session())

    looks = [
        tables.run(unused_clients.old_clients, unused_since=UNUSED_SINCE, now=NOW)[0]
        for _ in range(2)
    ]

    assert looks == [1, 0]


def test_c353_a_flood_drains_as_fast_at_its_end_as_at_its_beginning(postgres_tables):
    """A million rows in full: no bite holds the table for long, whatever PostgreSQL knows of it."""
    rows = times(20_000, 1_000_000)
    _fill_events(postgres_tables, rows)
    # It takes the table for empty, which it was a moment ago, until it looks again.
    with postgres_tables.begin() as txn:
        txn.execute("DELETE FROM nextgen_events")
        txn.execute("ANALYZE nextgen_events")
    _fill_events(postgres_tables, rows)
    seconds, gone = [], sweep.BITE
    while gone == sweep.BITE:
        start = time.monotonic()
        gone = postgres_tables.run(sweep.stale, kind="events", now=NOW)
        seconds.append(time.monotonic() - start)

    assert postgres_tables.count("nextgen_events") == 0
    assert statistics.median(seconds) < 0.1 * busy()
    assert sorted(seconds)[int(len(seconds) * 0.99) - 1] < 0.5 * busy()


def _fill_events(tables, rows):
    with tables.begin() as txn:
        txn.execute(
            "INSERT INTO nextgen_events (event_id, happened_at, kind)"
            " SELECT 'event ' || n, n, 'signed_in' FROM generate_series(1, ?) AS n",
            (rows,),
        )


def add_client(txn, name, at):
    clients.add(txn, a_client(client_id=name, created_at=at), digest=name)


def add_noted_browser(txn, name, at):
    session_browsers.add(txn, name, browser="digest", now=at)


def add_new_grant(txn, name, at):
    grants.add(txn, a_grant(grant_id=name, created_at=at, expires_at=at + 30 * DAY))


def add_new_device_grant(txn, name, at):
    codes = Codes(f"device {name}", f"user {name}", name)
    made = a_device_grant(grant_id=name, created_at=at, expires_at=at + 1201)
    device_grants.add(txn, made, codes)


def add_new_attempt(txn, name, at):
    attempts.add(txn, an_attempt(attempt_id=name, created_at=at, expires_at=at + 3601))


def add_new_legacy_login(txn, name, at):
    made = LegacySignIn(name, "b", "https://a.example/", None, None, None, at, at + 1801)
    legacy_logins.add(txn, made)


def add_new_code(txn, name, at):
    codes.put(txn, Code(name, "mac", "sealed", "mail", at, at + 601))


def add_new_rendezvous(txn, name, at):
    rendezvous.add(txn, Rendezvous(name, Kind.ETAG, "data", "sequence", at, at, at + 1201))


# How a row of this second gets there, and what is set right where it does not go.
AHEAD = {
    "expired grants": (add_new_grant, "nextgen_grants", None),
    "expired device grants": (add_new_device_grant, "nextgen_device_grants", None),
    "attempts": (add_new_attempt, "nextgen_attempts", None),
    "codes": (add_new_code, "nextgen_codes", None),
    "rendezvous": (add_new_rendezvous, "nextgen_rendezvous", None),
    "legacy sign-ins": (add_new_legacy_login, "nextgen_legacy_logins", None),
    "arrivals": (add_arrival, "nextgen_arrivals", None),
    "links": (add_new_link, "nextgen_links", None),
    "remembered browsers": (add_new_remembered, "nextgen_remembered", None),
    "requests to remove lost factors": (add_new_lost, "nextgen_lost_factors", None),
    "notices": (add_new_notice, "nextgen_notices", None),
    "throttles": (add_throttle, "nextgen_throttle", None),
    "approvals": (add_approval, "nextgen_approvals", None),
    "consents": (add_consent, "nextgen_consents", None),
    "sessions ended in the future": (add_session, "nextgen_sessions", "ended_at"),
    "browsers of sessions from the future": (
        add_noted_browser,
        "nextgen_session_browsers",
        "noted_at",
    ),
    "logouts of providers from the future": (
        add_provider_logout,
        "nextgen_provider_logouts",
        "ended_at",
    ),
    "sign-ins of providers from the future": (
        add_provider_session,
        "nextgen_provider_sessions",
        "noted_at",
    ),
    "entries of the outbox from the future": (add_entry, "nextgen_outbox", "written_at"),
    "clients from the future": (add_client, "nextgen_clients", "last_used_at"),
}


@pytest.mark.parametrize("kind", sweep.KINDS_AHEAD)
def test_c379_what_a_clock_wrote_that_ran_ahead_does_not_wait_for_it(tables, transact, kind):
    """It goes, or begins now; what is a minute ahead is left alone."""
    add, table, column = AHEAD[kind]
    for name, ahead in (("far", 10**7), ("ahead", 61), ("minute", 60), ("now", 0), ("old", -DAY)):
        tables.run(add, name, NOW + ahead)

    assert transact(sweep.from_the_future, kind=kind, now=NOW) == 2
    assert transact(sweep.from_the_future, kind=kind, now=NOW) == 0
    if column is None:
        assert tables.count(table) == 3
    else:
        found = tables.query(f"SELECT {column} FROM {table} ORDER BY {column}")
        assert found == [(NOW - DAY,), (NOW,), (NOW,), (NOW,), (NOW + 60,)]


def test_c379_a_client_from_the_future_is_what_it_was(tables):
    """One that never began a grant still never did."""
    tables.run(add_client, "unused", NOW + DAY)
    tables.run(add_client, "used", NOW + DAY)
    tables.run(clients.touch, "used", now=NOW + 2 * DAY)

    tables.run(sweep.from_the_future, kind="clients from the future", now=NOW)

    assert tables.query(
        "SELECT client_id, created_at, last_used_at FROM nextgen_clients ORDER BY client_id"
    ) == [("unused", NOW, NOW), ("used", NOW + DAY, NOW)]


@pytest.mark.parametrize(
    "kind", ["events", "client assertions", "challenges of passkeys", "revoked tokens"]
)
def test_c379_what_must_not_go_early_stays(tables, kind):
    """Events are what happened; what is forgotten that was used once would work again in its time."""
    add, table, _keep = ROWS[kind]
    tables.run(add, "ahead", NOW + 10**7)

    for ahead in sweep.KINDS_AHEAD:
        tables.run(sweep.from_the_future, kind=ahead, now=NOW)
    tables.run(sweep.stale, kind=kind, now=NOW)

    assert tables.count(table) == 1


def test_c379_browsers_from_the_future_stay_signed_in_and_begin_anew(tables, transact):
    """Nobody is signed out, no sign-in is fresh, and the limits begin now."""
    for name, ahead in (("far", 10**7), ("minute", 60), ("old", -DAY)):
        at = NOW + ahead
        tables.run(sign_ins.add, a_sign_in(name, signed_in_at=at, last_active_at=at))

    assert transact(sweep.browsers_from_the_future, now=NOW) == 1
    assert transact(sweep.browsers_from_the_future, now=NOW) == 0
    times = tables.query("SELECT signed_in_at, last_active_at FROM nextgen_browsers ORDER BY 2")
    assert times == [(NOW - DAY,) * 2, (NOW - 3600, NOW), (NOW + 60,) * 2]


def test_events_are_kept_for_as_long_as_the_operator_says(tables, transact):
    """To the second."""
    for name, age in (("old", 101), ("young", 100)):
        tables.run(add_event, name, NOW - age)

    assert transact(sweep.stale, kind="events", now=NOW, keep=100) == 1
    assert tables.query("SELECT user_id FROM nextgen_events") == [("young",)]


def test_addresses_of_events_go_in_bites_and_the_events_stay(tables, monkeypatch):
    """Those before the time, each looked at once; many of one second are one bite."""
    monkeypatch.setattr(sweep, "BITE", 10)
    with tables.begin() as txn:
        for n in range(45):
            at = NOW - 100 + (n if n < 15 else 20 if n < 40 else 100)
            events.add(txn, Event(EventKind.SIGNED_IN, at, f"{n:02}", address="192.0.2.1"))

    since, looks = -1, []
    while since is not None:
        since, blanked = tables.run(sweep.blank_addresses, since=since, before=NOW)
        looks.append(blanked)

    assert sum(looks) == 40
    assert max(looks) == 25
    assert tables.query("SELECT COUNT(*), COUNT(address) FROM nextgen_events") == [(45, 5)]
    assert tables.run(sweep.blank_addresses, since=NOW, before=NOW + 1) == (None, 5)


def test_the_token_of_an_invitation_goes_with_it(tables):
    """Both stay where an administrator gave the token more time: whom it is for stands beside it.

    What was made without us is none of ours.
    """
    with tables.begin() as txn:
        for name in ("plain", "longer", "always", "gone", "young"):
            add_invitation(txn, name, NOW if name == "young" else NOW - 100 * DAY)
        for name, until in (("longer", (NOW - 80 * DAY) * 1000), ("always", None)):
            txn.execute(
                "UPDATE registration_tokens SET expiry_time = ? WHERE token = ?", (until, name)
            )
        txn.execute("DELETE FROM registration_tokens WHERE token = 'gone'")
        txn.execute(
            "INSERT INTO registration_tokens (token, pending, completed, expiry_time)"
            " VALUES ('theirs', 0, 0, 1000)"
        )

    def left(table):
        return [row[0] for row in tables.query(f"SELECT token FROM {table} ORDER BY token")]

    assert tables.run(sweep.stale, kind="invitations", now=NOW) == 2
    assert left("nextgen_invitations") == ["always", "longer", "young"]
    assert left("registration_tokens") == ["always", "longer", "theirs", "young"]
    assert tables.run(sweep.stale, kind="invitations", now=NOW + 11 * DAY) == 1
    assert left("registration_tokens") == ["always", "theirs", "young"]


def test_what_the_admin_api_called_things_goes_with_them(tables):
    """What is there still keeps its id."""
    ended = a_session(session_id="a" * 32, ended_at=NOW)
    tables.run(sessions.add, ended)
    tables.run(sign_ins.add, a_sign_in("old", sign_in_id="s", last_active_at=NOW - 5))
    tables.run(grants.add, a_grant(grant_id="g", expires_at=NOW))
    called = {
        ulids.Kind.OAUTH2_SESSION: ended.session_id,
        ulids.Kind.SESSION: ended.session_id,
        ulids.Kind.USER_SESSION: f"{ALICE} s",
        ulids.Kind.PENDING_GRANT: "g",
    }
    for kind, key in called.items():
        for each in (key, "another"):
            tables.run(names.name, kind, {each: NOW})

    tables.run(sweep.stale, kind="ended sessions", now=NOW + 40 * 24 * 3600)
    tables.run(sweep.stale, kind="expired grants", now=NOW + 40 * 24 * 3600)
    tables.run(sweep.idle_browsers, idle_since=NOW)

    assert {key for (key,) in tables.query("SELECT item_key FROM nextgen_ulids")} == {"another"}
    assert tables.count("nextgen_ulids") == len(called)
