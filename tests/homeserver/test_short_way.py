"""The short way of a token check gives what the long way gives, whatever happened in between.

Without a homeserver: Synapse's check and its caches are real, the tables are dictionaries. Over HTTP and
over processes the same is asked in `test_who_tells_the_caches.py`.
"""

from functools import lru_cache
from types import SimpleNamespace

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synapse.api.auth.internal import InternalAuth

from support import checks
from support.checks import KEYS, START, Checked, Rows, token
from synapse_nextgen_auth.homeserver.auth import joined, remembered, steps
from synapse_nextgen_auth.homeserver.auth.joined import LOOKED_AT_EVERY
from synapse_nextgen_auth.homeserver.auth.mark import OURS
from synapse_nextgen_auth.homeserver.auth.remembered import Remembered
from synapse_nextgen_auth.oauth.scopes import permissions
from synapse_nextgen_auth.oauth.scopes.permissions import ADMIN, API, DEVICE, READ, SEND
from synapse_nextgen_auth.oauth.sessions import Began, End, SessionLifetimes, stand_in_of
from synapse_nextgen_auth.oauth.tokens import session_tokens
from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind, Token
from synapse_nextgen_auth.secret import Keyring

pytestmark = pytest.mark.every_release

ANN, BOB = "@ann:example.org", "@bob:example.org"
LIFETIMES = SessionLifetimes(absolute=200, idle=50)


class Crowd:
    """Two people with three sessions, a process that asks all the time, and one that just started."""

    def __init__(self):
        self.rows = Rows(ANN, BOB)
        self.sessions = [
            self.rows.sign_in(ANN, "1", scope=f"{API} {DEVICE}ONEDEVICE1 openid"),
            self.rows.sign_in(ANN, "2", expires_at=START + 90),
            self.rows.sign_in(BOB, "3"),
        ]
        admin = f"{API} {DEVICE}ONEDEVICE4 {ADMIN}"
        self.sessions.append(self.rows.sign_in(BOB, "4", scope=admin))
        self.tokens = [token(one, expires_at=START + 100) for one in self.sessions]
        self.tokens.append(token(self.sessions[3], expires_at=START + 100, mask=0b011))
        # A personal token, and two that are signed and of the wrong kind (C109).
        personal = {"began_by": Began.PERSONAL, "expires_at": START + 250}
        self.sessions.append(self.rows.sign_in(ANN, "5", **personal))
        for session, kind in ((4, Kind.PERSONAL), (4, Kind.ACCESS), (0, Kind.PERSONAL)):
            said = Token(kind, self.sessions[session].session_id, 1, START + 250)
            self.tokens.append(session_tokens.mint(KEYS, said).reveal())
        # What refreshes made smaller: all of Matrix and nothing of it, parts with and without the device
        # that their session has, and one where something stands for a device.
        narrow = f"{READ} {SEND} {DEVICE}ONEDEVICE6"
        self.sessions.append(self.rows.sign_in(BOB, "6", scope=narrow))
        without = {"scope": f"openid {READ} {SEND}", "device_id": None}
        self.sessions.append(self.rows.sign_in(BOB, "7", **without))
        for session, mask in (
            (0, 0b011),
            (0, 0b100),
            (5, None),
            (5, 0b001),
            (5, 0b110),
            (6, 0b010),
        ):
            said = {"expires_at": START + 100, "mask": mask}
            self.tokens.append(token(self.sessions[session], **said))
        self.process = Checked(self.rows, lifetimes=LIFETIMES)
        self.oracle = Checked(self.rows, lifetimes=LIFETIMES, is_short=False)

    def ask(self, number, **allowed):
        """Ask the process; the long way, with nothing in memory, must say the same."""
        self.oracle.forget_all()
        said = self.process.ask(self.tokens[number], **allowed)
        assert said == self.oracle.ask(self.tokens[number], **allowed)
        return said

    def account(self, user_id, **changes):
        """Change an account as Synapse does, which tells every process."""
        self.rows.users[user_id] = attrs.evolve(self.rows.users[user_id], **changes)
        self.process.store.get_user_by_id.invalidate((user_id,))
        if "locked" in changes:
            self.process.store.get_user_locked_status.invalidate((user_id,))

    def expire(self, user_id, *, is_expired):
        (self.rows.expired.add if is_expired else self.rows.expired.discard)(user_id)

    def device(self, number, display_name):
        """Rename a device; with `None` delete it."""
        one = self.sessions[number]
        key = one.user_id, f"ONEDEVICE{number + 1}"
        self.rows.devices[key] = display_name and {"display_name": display_name}
        self.process.store.get_device.invalidate(key)

    def session(self, number, **changes):
        one = self.sessions[number]
        self.rows.sessions[one.session_id] = attrs.evolve(
            self.rows.sessions[one.session_id] or one, **changes
        )
        self.process.live.forget_here((one.session_id,))

    def sweep(self, number):
        one = self.sessions[number]
        self.rows.sessions[one.session_id] = None
        self.process.live.forget_here((one.session_id,))

    def evict(self, name, number):
        """Let a cache have no room for what it has."""
        store, one = self.process.store, self.sessions[number]
        device = one.user_id, f"ONEDEVICE{number + 1}"
        {
            "session": lambda: self.process.live.nextgen_session.invalidate((one.session_id,)),
            "device": lambda: store.get_device.invalidate(device),
            "devices": lambda: store.get_device.invalidate((one.user_id,)),
            "user": lambda: store.get_user_by_id.invalidate((one.user_id,)),
            "locked": lambda: store.get_user_locked_status.invalidate((one.user_id,)),
            "all": self.process.forget_all,
        }[name]()


ALL = range(14)
IN_PART = 8  # the first session but for one word of its scope
numbers = st.integers(0, 6)
people = st.sampled_from([ANN, BOB])
flags = st.sampled_from(
    [
        "locked",
        "is_deactivated",
        "is_guest",
        "is_shadow_banned",
        "is_admin",
        "suspended",
        "approved",
    ]
)
asks = st.builds(
    lambda number, allowed: lambda crowd: crowd.ask(number, **allowed),
    st.sampled_from(ALL),
    st.dictionaries(
        st.sampled_from(["allow_guest", "allow_expired", "allow_locked"]), st.booleans()
    ),
)
changes = st.one_of(
    st.builds(
        lambda who, what, yes: lambda crowd: crowd.account(who, **{what: yes}),
        people,
        flags,
        st.booleans(),
    ),
    st.builds(
        lambda who, yes: lambda crowd: crowd.expire(who, is_expired=yes), people, st.booleans()
    ),
    st.builds(
        lambda number, name: lambda crowd: crowd.device(number, name),
        numbers,
        st.sampled_from(["New", "Other", None]),
    ),
    st.builds(
        lambda number, end: lambda crowd: crowd.session(number, ended_at=START, end_reason=end),
        numbers,
        st.sampled_from([End.REVOKED, End.REUSE, End.LOGOUT]),
    ),
    st.builds(
        lambda number: lambda crowd: crowd.session(number, ended_at=None, end_reason=None), numbers
    ),
    st.builds(
        lambda number, scope: lambda crowd: crowd.session(number, scope=scope),
        numbers,
        st.sampled_from(["openid", f"{SEND} {READ}"]),
    ),
    st.builds(
        lambda number: (
            lambda crowd: crowd.session(number, scope=f"{API} {DEVICE}ONEDEVICE9 openid")
        ),
        st.integers(0, 4),  # where every token has both the API and the device
    ),
    st.builds(
        lambda number, device: lambda crowd: crowd.session(number, device_id=device),
        numbers,
        st.sampled_from([None, "ONEDEVICE9"]),
    ),
    st.builds(lambda number: lambda crowd: crowd.sweep(number), numbers),
    st.builds(
        lambda name, number: lambda crowd: crowd.evict(name, number),
        st.sampled_from(["session", "device", "devices", "user", "locked", "all"]),
        numbers,
    ),
    st.builds(
        lambda seconds: lambda crowd: setattr(crowd.rows, "now", crowd.rows.now + seconds),
        st.sampled_from([1, LOOKED_AT_EVERY, 45, -5]),
    ),
)


@given(st.lists(st.one_of(asks, changes), max_size=60))
def test_c130_any_order_of_changes_and_checks_gives_what_the_long_way_gives(steps_taken):
    """With what Synapse notes of the request, and asked once more of all at the end."""
    crowd = Crowd()

    for step in steps_taken:
        step(crowd)
        crowd.ask(0)

    for number in ALL:
        crowd.ask(number)
        crowd.ask(number)


@pytest.fixture
def crowd(monkeypatch):
    """Return people whose first session is known; from then on only the short way is open."""
    crowd = Crowd()
    for number in (0, 0, IN_PART):
        crowd.ask(number)
    return crowd


@pytest.fixture
def no_long_way(monkeypatch):
    """Let nobody go the long way."""

    def close(crowd):
        async def closed(self, *args, **kwargs):
            raise ConnectionError("the long way")

        monkeypatch.setattr(InternalAuth, "get_user_by_req", closed)
        return crowd.process

    return close


def test_a_warm_check_goes_the_short_way(crowd, no_long_way):
    said, seen = crowd.ask(0)
    process = no_long_way(crowd)

    assert process.ask(crowd.tokens[0]) == (said, seen)
    assert said["user"].to_string() == ANN
    assert said["device_id"] == "ONEDEVICE1"
    assert seen[0]["device_id"] == "ONEDEVICE1"
    assert crowd.tokens[0] not in str(seen), "no bearer value goes to user_ips (C337)"


def test_a_personal_token_is_as_warm(crowd, no_long_way):
    """It asks nothing but what is in memory; for longer than sessions are good that are renewed."""
    crowd.rows.now = START + 220
    for _ in range(2):
        said, seen = crowd.ask(5)
    assert crowd.ask(0)[0][:2] == (401, "M_UNKNOWN_TOKEN")
    process = no_long_way(crowd)

    assert process.ask(crowd.tokens[5]) == (said, seen)
    assert said["device_id"] == "ONEDEVICE5"
    assert crowd.tokens[5] not in str(seen), "no bearer value goes to user_ips (C337)"


@pytest.mark.parametrize(
    ("number", "device", "noted", "scope"),
    [
        (4, "ONEDEVICE4", "ONEDEVICE4", {API, f"{DEVICE}ONEDEVICE4"}),
        (8, "ONEDEVICE1", "ONEDEVICE1", {API, f"{DEVICE}ONEDEVICE1"}),
        (10, "ONEDEVICE6", "ONEDEVICE6", {READ, SEND, f"{DEVICE}ONEDEVICE6"}),
        (11, "ONEDEVICE6", "ONEDEVICE6", {READ}),
        (12, "ONEDEVICE6", "ONEDEVICE6", {SEND, f"{DEVICE}ONEDEVICE6"}),
        (13, stand_in_of(f"{7:0>32}"), None, {READ}),
    ],
)
def test_c313_a_token_that_a_refresh_made_smaller_is_as_warm(
    crowd, no_long_way, number, device, noted, scope
):
    """Each use is of its own part, whatever others of its session have."""
    for _ in range(2):
        said, seen = crowd.ask(number)
    for other in ALL:
        crowd.ask(other)
    process = no_long_way(crowd)

    assert process.ask(crowd.tokens[number]) == (said, seen)
    assert said["scope"] == {*scope, OURS}
    assert (said["sent_from"], seen[0]["device_id"]) == (device, noted)
    assert crowd.tokens[number] not in str(seen), "no bearer value goes to user_ips (C337)"


def test_what_a_refresh_left_nothing_of_matrix_goes_the_long_way(crowd, no_long_way):
    """However warm its session is, and its use is counted once."""
    for _ in range(2):
        assert crowd.ask(9)[0][0] == 403
    noted = len(crowd.process.noted)
    crowd.process.ask(crowd.tokens[9])
    assert len(crowd.process.noted) == noted + 1
    process = no_long_way(crowd)

    with pytest.raises(ConnectionError, match="the long way"):
        process.ask(crowd.tokens[9])


def test_what_is_remembered_of_parts_has_an_end(crowd, monkeypatch):
    """A client may ask for any part of what it has; the caches of sessions do not bound these."""
    few = lru_cache(maxsize=10)(joined._part.__wrapped__)
    monkeypatch.setattr(joined, "_part", few)
    session = crowd.rows.sign_in(
        ANN, "8", scope=" ".join(sorted(permissions.NARROW - {permissions.KEYS, permissions.PUSH}))
    )

    for mask in range(1, 100):
        crowd.process.ask(token(session, mask=mask))
        crowd.process.ask(token(session, mask=mask))

    assert joined._part.cache_info().currsize == 10


@pytest.mark.parametrize(("number", "right"), [(6, 5), (7, 0)])
def test_c109_a_token_of_another_kind_finds_no_warm_session(crowd, number, right):
    for _ in range(2):
        assert crowd.ask(right)[0]["user"].to_string() == ANN
    for _ in range(2):
        assert crowd.ask(number)[0][:2] == (401, "M_UNKNOWN_TOKEN")


def test_requesters_do_not_share_their_scope(crowd):
    """Whoever changes one changes no other."""
    first, second = (crowd.process.ask(crowd.tokens[0])[0] for _ in range(2))

    first["scope"].add(ADMIN)

    assert ADMIN not in second["scope"]
    assert ADMIN not in crowd.ask(0)[0]["scope"]


SPECIAL = {
    "locked": lambda crowd: crowd.account(ANN, locked=True),
    "deactivated": lambda crowd: crowd.account(ANN, is_deactivated=True),
    "shadow-banned": lambda crowd: crowd.account(ANN, is_shadow_banned=True),
    "a guest": lambda crowd: crowd.account(ANN, is_guest=True),
    "not approved": lambda crowd: crowd.account(ANN, approved=False),
    "expired": lambda crowd: crowd.expire(ANN, is_expired=True),
    "without its device": lambda crowd: crowd.device(0, None),
    "ended": lambda crowd: crowd.session(0, ended_at=START),
    "of no device": lambda crowd: crowd.session(0, device_id=None),
    "not for the API": lambda crowd: crowd.session(0, scope="openid"),
    "swept": lambda crowd: crowd.sweep(0),
    "too old": lambda crowd: setattr(crowd.rows, "now", START + 100),
    "a bridge's token": lambda crowd: crowd.rows.services.extend(
        SimpleNamespace(token=crowd.tokens[number], ip_range_whitelist=None)
        for number in (0, IN_PART)
    ),
    **{
        f"{name} forgotten": lambda crowd, name=name: crowd.evict(name, 0)
        for name in ("session", "device", "devices", "user", "locked", "all")
    },
}


@pytest.mark.parametrize("number", [0, IN_PART])
@pytest.mark.parametrize("change", SPECIAL.values(), ids=SPECIAL)
def test_whatever_is_special_goes_the_long_way(crowd, no_long_way, change, number):
    """Which is open to everybody: it alone says no."""
    change(crowd)
    process = no_long_way(crowd)

    with pytest.raises(ConnectionError, match="the long way"):
        process.ask(crowd.tokens[number])


LASTING = [name for name in SPECIAL if "forgotten" not in name and "bridge" not in name]


@pytest.mark.parametrize("number", [0, IN_PART])
@pytest.mark.parametrize("name", LASTING)
def test_what_is_special_stays_special(crowd, no_long_way, name, number):
    """However often it was asked for since: that it is in memory makes nothing ordinary."""
    SPECIAL[name](crowd)
    for _ in range(3):
        crowd.ask(number)
    process = no_long_way(crowd)

    with pytest.raises(ConnectionError, match="the long way"):
        process.ask(crowd.tokens[number])


def test_a_lock_closes_the_short_way_whichever_cache_has_it_first(crowd, no_long_way):
    """There are two, and Synapse's own check goes by this one."""
    crowd.rows.users[ANN] = attrs.evolve(crowd.rows.users[ANN], locked=True)
    crowd.process.store.get_user_locked_status.invalidate((ANN,))

    said = [crowd.ask(0)[0][:2] for _ in range(3)]

    assert said == [(401, "M_USER_LOCKED")] * 3


def test_a_session_that_ends_of_itself_ends_on_time(crowd):
    """Also between two looks at the caches."""
    crowd.rows.now = START + 85
    before = [crowd.ask(1)[0]["device_id"] for _ in range(2)]

    crowd.rows.now = START + 90

    assert before == ["ONEDEVICE2"] * 2
    assert crowd.ask(1)[0][:3] == (401, "M_UNKNOWN_TOKEN", True)


@pytest.mark.parametrize(
    "odd",
    [
        {"headers": [b"Bearer  {}"]},
        {"headers": [b"bearer {}"]},
        {"headers": [b"Bearer {} {}"]},
        {"headers": [b"Bearer {}", b"Bearer {}"]},
        {"headers": [b"Bearer {}\xff"]},
        {"headers": [b"Bearer {}"], "args": {b"access_token": [b"x"]}},
    ],
)
def test_c115_an_odd_header_goes_the_long_way(crowd, no_long_way, odd):
    """There is one way to read it, and that is Synapse's."""
    text = crowd.tokens[0].encode()
    odd = {**odd, "headers": [one.replace(b"{}", text) for one in odd["headers"]]}
    process = no_long_way(crowd)

    with pytest.raises(ConnectionError, match="the long way"):
        process.ask(crowd.tokens[0], **odd)


def test_a_parameter_that_is_not_known_goes_the_long_way(crowd, no_long_way):
    """A later Synapse may want more to be looked at."""
    process = no_long_way(crowd)

    with pytest.raises(ConnectionError, match="the long way"):
        process.ask(crowd.tokens[0], allow_suspended=False)


@pytest.mark.parametrize("number", range(3))
def test_one_persons_change_does_not_send_others_the_long_way(crowd, no_long_way, number):
    """Nor does a device that is renamed, for longer than one request."""
    for one in range(3):
        crowd.ask(one)
        crowd.ask(one)
    crowd.device(number, "Renamed")
    crowd.ask(number)
    process = no_long_way(crowd)

    for one in range(3):
        assert process.ask(crowd.tokens[one])


@pytest.mark.parametrize("begin", [START, START - 3600])
def test_caches_see_that_what_is_remembered_is_in_use(crowd, begin):
    """They drop what nobody asked for longest; a session in use is asked for now and then.

    Also by a clock that was put back.
    """
    asked = []
    users = crowd.process.check._joined._users
    look, users_cache = users.cache.get, users.cache
    users_cache.get = lambda *args, **kwargs: asked.append(args) or look(*args, **kwargs)

    for second in range(3 * LOOKED_AT_EVERY):
        crowd.rows.now = begin + second
        crowd.process.ask(crowd.tokens[0])

    assert 2 <= len([key for key, *_ in asked if key == ANN]) <= 6


def test_sessions_found_at_once_are_hits_of_their_cache(crowd):
    """So the hit rate in Synapse's metrics says what it said before: of each of them."""
    store, live = crowd.process.store, crowd.process.live
    cached = [live.nextgen_session, store.get_device, store.get_user_by_id]
    metrics = [one.cache.cache.metrics for one in (*cached, store.get_user_locked_status)]
    crowd.process.ask(crowd.tokens[0])
    before = [(each.hits, each.misses) for each in metrics]

    for _ in range(5):
        crowd.process.ask(crowd.tokens[0])
        crowd.rows.now += LOOKED_AT_EVERY // 2

    assert [(each.hits, each.misses) for each in metrics] == [(n + 5, m) for n, m in before]


@pytest.mark.parametrize("name", ["get_user_by_id", "get_user_locked_status", "get_device"])
def test_where_another_module_took_a_cache_away_all_goes_the_long_way(name, monkeypatch):
    """The server starts, and whatever that function says counts each time."""
    rows, asked = Rows(ANN), []
    own = vars(checks.Store)[name].orig

    async def plain(self, *key):
        asked.append(key)
        return await own(self, *key)

    patched = type("Patched", (checks.Store,), {name: plain})
    monkeypatch.setattr(checks, "Store", patched)
    process = Checked(rows)
    text = token(rows.sign_in(ANN, "1"))

    said = [process.ask(text) for _ in range(3)]

    assert [one["device_id"] for one, _ in said] == ["ONEDEVICE1"] * 3
    assert len(asked) == 3


def test_nothing_is_remembered_of_what_no_cache_has():
    """However many sessions, accounts and evictions: the caches bound it, and call once for each."""
    rows = Rows(ANN, BOB)
    process = Checked(rows)
    for number in range(50):
        text = token(rows.sign_in(ANN if number % 2 else BOB, str(number)))
        for _ in range(4):
            assert [process.ask(text), process.ask(text)]
            process.store.get_device.invalidate((ANN if number % 2 else BOB, f"ONEDEVICE{number}"))
            process.store.get_user_locked_status.invalidate((ANN,))
    assert [process.ask(text), process.ask(text)]
    joined = process.check._joined
    users = process.store.get_user_by_id.cache.cache.cache
    most = max(len(node.callbacks or ()) for node in users.values())

    process.forget_all()

    assert most == 1
    assert (joined._joined, joined._accounts) == ({}, {})


@pytest.mark.parametrize("kind", [Kind.ACCESS, Kind.PERSONAL])
def test_c130_c357_who_hears_nothing_of_others_looks_again(kind):
    """What another process revoked while Redis is away is over within minutes, however long it lives."""
    rows = Rows(ANN)
    process = Checked(rows)
    fields = {"began_by": Began.PERSONAL} if kind is Kind.PERSONAL else {}
    session = rows.sign_in(ANN, "1", **fields)
    text = session_tokens.mint(KEYS, Token(kind, session.session_id, 1, 0)).reveal()
    process.ask(text)
    process.ask(text)
    ended = attrs.evolve(session, ended_at=START, end_reason=End.REVOKED.value)
    rows.sessions[session.session_id] = ended

    process.live.doubt()
    believed = process.ask(text)[0]
    process.is_in_touch = False
    process.live.doubt()

    assert believed["device_id"] == "ONEDEVICE1"
    assert process.ask(text)[0][:2] == (401, "M_UNKNOWN_TOKEN")
    assert process.check._joined._joined == {}


def test_a_token_minted_here_is_not_hashed_again(monkeypatch):
    rows = Rows(ANN)
    process = Checked(rows)
    one = rows.sign_in(ANN, "1")
    text = process.check.mint(Token(Kind.ACCESS, one.session_id, 1, START + 300)).reveal()
    hashed = []
    monkeypatch.setattr(session_tokens, "read", lambda *said: hashed.append(said))

    said, _ = process.ask(text)

    assert said["device_id"] == "ONEDEVICE1"
    assert hashed == []


def test_a_remembered_token_ends_with_its_time_and_with_the_secret():
    """What is remembered is that we signed it, in this process, and nothing else."""
    rows = Rows(ANN)
    process = Checked(rows)
    text = token(rows.sign_in(ANN, "1"))
    before = [process.ask(text)[0], process.ask(text)[0]]
    restarted = Checked(rows)
    object.__setattr__(restarted.check, "keys", Keyring.of(b"another secret, without the old one"))

    rows.now = START + 300

    assert before[0] == before[1]
    assert process.ask(text)[0][:3] == (401, "M_UNKNOWN_TOKEN", True)
    assert restarted.ask(text)[0][:3] == (401, "M_UNKNOWN_TOKEN", False)


def test_what_is_remembered_has_an_end(monkeypatch):
    """What is shown again stays, however many others come."""
    monkeypatch.setattr(remembered, "_REMEMBERED", 10)
    known, said = Remembered(), Token(Kind.ACCESS, "0" * 32, 1, 0)
    known.add("kept", said)

    for number in range(1000):
        known.add(str(number), said)
        assert known.get("kept") is said

    assert len(known) <= 20
    assert known.get("3") is None


def test_the_steps_of_this_synapse_are_known():
    """In every release between the oldest and the newest, or nothing is gained."""
    assert steps.unknown() == []


def test_a_step_more_closes_the_short_way(monkeypatch, caplog, crowd):
    """Whether a later Synapse has it, or another module put a check of its own there."""
    stock = InternalAuth._wrapped_get_user_by_req

    async def wrapped(self, request, *args):
        self.is_suspicious(request)
        return await stock(self, request, *args)

    monkeypatch.setattr(InternalAuth, "_wrapped_get_user_by_req", wrapped)
    later = Checked(crowd.rows, lifetimes=LIFETIMES)

    assert steps.unknown() == [
        "_wrapped_get_user_by_req uses is_suspicious",
        "_wrapped_get_user_by_req uses stock",
    ]
    with pytest.raises(AttributeError, match="is_suspicious"):
        later.ask(crowd.tokens[0])
    assert "not known here" in caplog.text


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("name", ["get_user_by_access_token", "_record_request"])
def test_what_is_put_on_the_living_object_is_asked_each_time(crowd, name, is_late):
    """Another module may refuse tokens there; the first request must not be its only one."""
    later = Checked(crowd.rows, lifetimes=LIFETIMES)
    stock, asked = getattr(later.auth, name), []

    async def guarded(*args, **kwargs):
        asked.append(args)
        return await stock(*args, **kwargs)

    if is_late:
        later.ask(crowd.tokens[0])
        later.ask(crowd.tokens[0])
    setattr(later.auth, name, guarded)
    for _ in range(5):
        later.ask(crowd.tokens[0])

    assert len(asked) == 5


def test_a_traced_synapse_traces_every_check(crowd):
    """The span of each check is made in Synapse's own method."""
    traced = SimpleNamespace(tracing=SimpleNamespace(opentracer_enabled=True))

    assert not steps.are_known(traced, {})
    assert session_tokens.read(KEYS, crowd.tokens[0]) is not None
