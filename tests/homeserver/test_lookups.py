"""What is read for many at once is what Synapse would have read, and never outlives a change."""

from types import SimpleNamespace

import attrs
import pytest
from synapse.api.errors import StoreError
from synapse.logging.context import (
    SENTINEL_CONTEXT,
    LoggingContext,
    current_context,
    run_in_background,
    set_current_context,
)
from synapse.storage.databases.main import DataStore
from synapse.util.caches.descriptors import cached
from twisted.enterprise.adbapi import ConnectionLost
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock

from support.records import ALICE, BOB, PHONE, a_session
from synapse_nextgen_auth.homeserver.database import caches, known_methods
from synapse_nextgen_auth.homeserver.database.lookups import Lookups
from synapse_nextgen_auth.store.accounts import AccountRow
from synapse_nextgen_auth.store.devices import DeviceRow

pytestmark = [pytest.mark.every_release, pytest.mark.one_database]


class DatabaseError(Exception):
    """What the driver raises."""


class Store:
    """Synapse's three caches, by its own descriptors; who asks past them has not asked for many."""

    server_name = "example.org"
    clock = SimpleNamespace(time=lambda: 0)
    database_engine = SimpleNamespace(module=SimpleNamespace(Error=DatabaseError))

    @cached()
    async def get_user_by_id(self, user_id):
        raise AssertionError(user_id)

    @cached()
    async def get_user_locked_status(self, user_id):
        raise AssertionError(user_id)

    @cached(tree=True)
    async def get_device(self, user_id, device_id):
        raise AssertionError(user_id, device_id)


class Process:
    """Look-ups over a database that answers when the test says so."""

    def __init__(self):
        self.store, self.clock = Store(), Clock()
        self.asked, self._open = [], []
        hs = SimpleNamespace(
            get_datastores=lambda: SimpleNamespace(main=self.store),
            get_reactor=lambda: self.clock,
            run_as_background_process=lambda _name, work: run_in_background(work),
        )
        self.lookups = Lookups(hs, self.read)

    async def read(self, select, keys):
        self.asked.append((select.__name__, tuple(keys)))
        answer = Deferred()
        self._open.append(answer)
        return await answer

    def come(self, *rows):
        self._open.pop(0).callback({_key(row): row for row in rows})

    def fail(self, error):
        self._open.pop(0).errback(error)

    def user(self, user_id=ALICE):
        return ensureDeferred(self.lookups.user(user_id))

    def device(self, device_id=PHONE, user_id=ALICE):
        return ensureDeferred(self.lookups.device(user_id, device_id))

    def remembered(self, name, key):
        return getattr(self.store, name).cache.get_immediate(key, "nothing")


def _key(row):
    if isinstance(row, DeviceRow):
        return row.user_id, row.device_id
    return row.name if isinstance(row, AccountRow) else row.session_id


def an_account(name=ALICE, **columns):
    row = dict.fromkeys(field.name for field in attrs.fields(AccountRow))
    numbers = {"is_guest": 0, "admin": 0, "deactivated": 0, "creation_ts": 1, "suspended": False}
    return AccountRow(**row | numbers | {"name": name} | columns)


def phone(name="phone"):
    return DeviceRow(ALICE, PHONE, name)


@pytest.fixture
def process():
    return Process()


def test_accounts_that_are_asked_for_at_once_are_one_statement(process):
    """And each is remembered, with whether it is locked, which every request asks for."""
    carol = "@carol:example.org"
    asked = [process.user(ALICE), process.user(BOB), process.user(carol), process.user(BOB)]
    process.come(an_account(ALICE))
    process.come(an_account(BOB, locked=True, approved=False, admin=1))
    again = process.user(BOB)

    assert process.asked == [
        ("look_up_accounts", (ALICE,)),
        ("look_up_accounts", (BOB, carol)),
    ]
    alice, bob, nobody, same = (one.result for one in asked)
    assert (alice.locked, alice.approved, alice.is_admin) == (False, True, False)
    assert (bob.locked, bob.approved, bob.is_admin) == (True, False, True)
    assert nobody is None
    assert same is bob is again.result
    assert process.remembered("get_user_locked_status", ALICE) is False
    assert process.remembered("get_user_locked_status", BOB) is True
    assert process.remembered("get_user_locked_status", carol) == "nothing"


def test_who_asks_whether_an_unknown_account_is_locked_hears_what_synapse_says(process):
    process.user()
    waits = run_in_background(process.store.get_user_locked_status, ALICE)
    process.come()

    with pytest.raises(StoreError) as refused:
        raise waits.result.value
    assert refused.value.code == 404
    waits.addErrback(lambda _: None)


@pytest.mark.parametrize("whole", [False, True])
def test_a_device_deleted_while_it_is_looked_up_is_not_remembered(process, whole):
    """By one device as by all of an account: what was read before is stale, and would stay (C313)."""
    early = process.device()
    process.store.get_device.invalidate((ALICE,) if whole else (ALICE, PHONE))
    process.come(phone())
    late = process.device()
    process.come()

    assert early.result["display_name"] == "phone"
    assert late.result is None
    assert process.remembered("get_device", (ALICE, PHONE)) is None


def test_a_device_deleted_before_its_batch_began_is_not_remembered(process):
    process.device("OTHER")
    waits = process.device()
    process.store.get_device.invalidate((ALICE, PHONE))
    process.come()
    process.come(phone())

    assert waits.result["display_name"] == "phone"
    assert process.remembered("get_device", (ALICE, PHONE)) == "nothing"


@pytest.mark.parametrize("changed", ["get_user_by_id", "get_user_locked_status"])
def test_an_account_changed_while_it_is_looked_up_is_not_remembered(process, changed):
    process.user()
    getattr(process.store, changed).invalidate((ALICE,))
    process.come(an_account())

    assert process.remembered(changed, ALICE) == "nothing"


def test_whoever_is_told_of_a_change_is_told_of_what_was_looked_up(process):
    """As of what Synapse's own methods put there: `on_invalidate`."""
    told = []
    process.device()
    process.come(phone())
    process.store.get_device(ALICE, PHONE, on_invalidate=lambda: told.append("device"))
    process.store.get_device.invalidate((ALICE, PHONE))

    assert told == ["device"]


@pytest.mark.parametrize("name", ["get_user_by_id", "get_user_locked_status", "get_device"])
def test_of_a_synapse_that_keeps_something_else_its_own_method_is_asked(monkeypatch, caplog, name):
    """One key more would be missing from what its own handlers read, and nobody would know why."""

    class Later(DataStore):
        pass

    async def method(self, *key):
        return self.db_pool.something_new(*key)

    setattr(Later, name, cached()(method))
    monkeypatch.setattr(known_methods, "DataStore", Later)
    process = Process()
    asked = process.device() if name == "get_device" else process.user()

    assert process.asked == []
    assert asked.result.type is AssertionError  # what the method of this store raises
    assert "something_new" in caplog.text
    asked.addErrback(lambda _: None)


@pytest.mark.parametrize("name", ["get_user_by_id", "get_user_locked_status", "get_device"])
def test_a_function_of_another_module_is_asked_each_time(name, caplog):
    """It has no cache, and may have a reason: nothing is read past it, and the log says so once."""
    caches._say_plain.cache_clear()
    process = Process()
    setattr(process.store, name, plain := Plain())
    if name == "get_user_locked_status":
        process.store.get_user_by_id = plain
    ask = process.lookups.device if name == "get_device" else process.lookups.user
    key = (ALICE, PHONE) if name == "get_device" else (ALICE,)

    found = [ensureDeferred(ask(*key)).result for _ in range(2)]
    again = ensureDeferred(caches.ask_again(plain, *key)).result

    assert [*found, again] == [plain.answer] * 3
    assert plain.asked == [key] * 3
    assert process.asked == []
    said = [each for each in caplog.messages if "Another module has" in each]
    assert len(said) == 1


class Plain:
    """A function that another module puts in the place of one of Synapse's."""

    def __init__(self):
        self.asked, self.answer = [], object()

    async def __call__(self, *key):
        self.asked.append(key)
        return self.answer


def test_what_is_known_is_all_that_this_synapse_keeps():
    """Else none is looked up together with others, and nobody would see."""
    assert known_methods.are_known(known_methods.OF_ACCOUNTS)
    assert known_methods.are_known(known_methods.OF_DEVICES)


def test_what_is_not_there_is_remembered_as_synapse_does(process):
    nobody, nothing = process.user(), process.device()
    process.come()
    process.come()
    process.user()
    process.device()

    assert nobody.result is None
    assert nothing.result is None
    assert len(process.asked) == 2


@pytest.mark.parametrize("error", [DatabaseError, ConnectionLost])
def test_a_database_that_is_away_is_heard_by_each_and_remembered_by_none(process, error):
    """After a second try, which is for all of them: nobody asks the database for itself."""
    carol = "@carol:example.org"
    asked = [process.user(each) for each in (ALICE, BOB, carol)]
    for _ in range(4):
        process.fail(error("away"))
    tries = [keys for _, keys in process.asked]
    later = process.user(BOB)
    process.come(an_account(BOB))

    assert [one.result.type for one in asked] == [error] * 3
    assert tries == [(ALICE,), (BOB, carol), (ALICE,), (BOB, carol)]
    for one in asked:
        one.addErrback(lambda _: None)
    assert later.result.user_id.to_string() == BOB
    assert process.remembered("get_user_locked_status", BOB) is False


def test_a_connection_that_is_cut_takes_nobody_with_it(process):
    """Each of the batch hears what the second try said."""
    asked = [process.user(), process.user(BOB)]
    process.fail(DatabaseError("server closed the connection unexpectedly"))
    process.come(an_account(BOB))
    process.come(an_account())

    assert [one.result.user_id.to_string() for one in asked] == [ALICE, BOB]


def test_a_connection_that_hangs_does_not_hang_everybody(process):
    """The firewall forgot it, say: after a second others go past it, on another one."""
    hangs, waits = process.user(), process.user(BOB)
    process.clock.advance(0.9)
    early = len(process.asked)
    process.clock.advance(0.2)
    process._open.reverse()  # the second one answers first
    process.come(an_account(BOB))
    later = process.user("@carol:example.org")
    process.come(an_account())
    process.come()

    assert early == 1
    assert waits.result.user_id.to_string() == BOB
    assert later.result is None
    assert hangs.result.user_id.to_string() == ALICE
    assert process.clock.getDelayedCalls() == []


def test_one_that_cannot_be_read_does_not_spoil_its_neighbours(process):
    """A row that a later release wrote, say: each of its batch is asked for alone."""
    first, bad, good = (ensureDeferred(process.lookups.session(each)) for each in "abc")
    process.come(a_session(session_id="a"))
    process.fail(ValueError("what is this?"))
    process.fail(ValueError("what is this?"))
    process.come(a_session(session_id="c"))

    assert process.asked[1:] == [
        ("look_up_sessions", keys) for keys in (("b", "c"), ("b",), ("c",))
    ]
    assert first.result.session_id == "a"
    assert bad.result.type is ValueError
    bad.addErrback(lambda _: None)
    assert good.result.session_id == "c"


def test_who_is_cancelled_leaves_the_answer_to_the_cache(process):
    """As with Synapse's own methods: what was begun goes on."""
    gone = process.device()
    gone.cancel()
    process.come(phone())
    gone.addErrback(lambda _: None)

    assert process.remembered("get_device", (ALICE, PHONE))["display_name"] == "phone"


@pytest.fixture
def context():
    yield LoggingContext(name="request", server_name="example.org")
    set_current_context(SENTINEL_CONTEXT)


@pytest.mark.parametrize("fails", [False, True])
def test_a_request_goes_on_in_its_log_context(process, context, fails):
    """Else what goes on in the background would end with it, unnoticed (issue 21)."""
    gone_on = []

    async def request():
        for look_up in (
            lambda: process.lookups.user(ALICE),
            lambda: process.lookups.device(ALICE, "A"),
        ):
            try:
                await look_up()
            except DatabaseError:
                assert fails
            gone_on.append(current_context() is context)

    set_current_context(context)
    asked = run_in_background(request)
    left = current_context() is context
    set_current_context(SENTINEL_CONTEXT)
    for _ in range(4 if fails else 2):
        process.fail(DatabaseError()) if fails else process.come()
        assert current_context() is SENTINEL_CONTEXT

    assert left
    assert asked.called
    assert gone_on == [True, True]
