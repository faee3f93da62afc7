"""What personal tokens may be made, and what they open."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.records import NOW, a_session
from synapse_nextgen_auth.config.personal_tokens import Who
from synapse_nextgen_auth.oauth.scopes.permissions import (
    ADMIN,
    API,
    DEVICE,
    KEYS,
    MAS_ADMIN,
    NARROW,
    PERMISSIONS,
    PUSH,
    READ,
    ROOM,
    SEND,
    SERVER_ADMIN,
    SET_PROFILE,
)
from synapse_nextgen_auth.oauth.sessions import Began, End, SessionLifetimes
from synapse_nextgen_auth.oauth.tokens import personal_tokens
from synapse_nextgen_auth.oauth.tokens.personal_tokens import (
    PARTS,
    POWERS,
    Limits,
    Refusal,
    Wanted,
)

DAY = 24 * 3600
GARDEN = "!garden:example.com"
LIMITS = Limits(most=3, longest=90 * DAY, is_endless=False, parts=frozenset(PARTS))
BOT = Wanted("Bot", frozenset({READ}), (), None, 30 * DAY)
ON_A_DEVICE = attrs.evolve(BOT, parts=frozenset({API}), device_id="TESTDEVICE")


def test_whatever_acts_can_be_chosen_and_nothing_else():
    """A new permission is a choice here, too, or is told apart on purpose."""
    beside = {each.scope for each in PERMISSIONS if each.followed_by or not each.acts}

    assert {each.scope for each in PERMISSIONS} - beside == set(PARTS)


@pytest.mark.parametrize(
    ("wanted", "scope"),
    [
        (BOT, READ),
        (ON_A_DEVICE, f"{API} {DEVICE}TESTDEVICE"),
        (
            attrs.evolve(BOT, parts=frozenset({SEND, READ}), rooms=(GARDEN,)),
            f"{READ} {SEND} {ROOM}{GARDEN}",
        ),
        (attrs.evolve(BOT, device_id="TESTDEVICE"), f"{READ} {DEVICE}TESTDEVICE"),
        (attrs.evolve(BOT, parts=frozenset({SERVER_ADMIN})), SERVER_ADMIN),
        (
            attrs.evolve(ON_A_DEVICE, parts=frozenset({API, ADMIN})),
            f"{API} {ADMIN} {DEVICE}TESTDEVICE",
        ),
        # The whole account contains its parts.
        (attrs.evolve(ON_A_DEVICE, parts=frozenset({API, READ})), f"{API} {DEVICE}TESTDEVICE"),
    ],
)
def test_what_it_opens(wanted, scope):
    assert personal_tokens.refuse(wanted, LIMITS) is None
    assert wanted.scope.text == scope


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (attrs.evolve(BOT, name=""), Refusal.NO_NAME),
        (attrs.evolve(BOT, name="a" * 101), Refusal.LONG_NAME),
        (attrs.evolve(BOT, parts=frozenset()), Refusal.NOTHING),
        (attrs.evolve(BOT, parts=frozenset({"made up"})), Refusal.NOT_ALLOWED),
        (attrs.evolve(BOT, parts=frozenset(), rooms=(GARDEN,)), Refusal.NOTHING),
        (attrs.evolve(BOT, parts=frozenset({ADMIN})), Refusal.NEEDS_WHOLE),
        (attrs.evolve(BOT, parts=frozenset({READ, ADMIN})), Refusal.NEEDS_WHOLE),
        (attrs.evolve(BOT, parts=frozenset({API})), Refusal.NEEDS_DEVICE),
        (attrs.evolve(BOT, parts=frozenset({READ, KEYS})), Refusal.NEEDS_DEVICE),
        (attrs.evolve(BOT, parts=frozenset({PUSH})), Refusal.NEEDS_DEVICE),
        (attrs.evolve(ON_A_DEVICE, parts=frozenset({SERVER_ADMIN})), Refusal.HAS_NO_DEVICE),
        (attrs.evolve(ON_A_DEVICE, rooms=(GARDEN,)), Refusal.ROOMS_OF_ALL),
        (
            attrs.evolve(BOT, parts=frozenset({SET_PROFILE}), rooms=(GARDEN,)),
            Refusal.NOT_OF_ROOMS,
        ),
        (
            attrs.evolve(BOT, parts=frozenset({SERVER_ADMIN}), rooms=(GARDEN,)),
            Refusal.NOT_OF_ROOMS,
        ),
        *(
            (
                attrs.evolve(
                    BOT,
                    parts=frozenset({READ, part}),
                    rooms=(GARDEN,),
                    device_id="TESTDEVICE",
                ),
                Refusal.NOT_OF_ROOMS,
            )
            for part in (SET_PROFILE, PUSH, KEYS, SERVER_ADMIN, MAS_ADMIN)
        ),
        (attrs.evolve(BOT, rooms=("#garden:example.com",)), Refusal.BAD_ROOM),
        (attrs.evolve(BOT, rooms=("!g\u00e4rten:example.com",)), Refusal.BAD_ROOM),
        (attrs.evolve(BOT, rooms=("!" + "a" * 255,)), Refusal.BAD_ROOM),
        (attrs.evolve(BOT, rooms=tuple(f"!{n}:example.com" for n in range(9))), Refusal.MANY_ROOMS),
        (attrs.evolve(BOT, lifetime=None), Refusal.TIME),
        (attrs.evolve(BOT, lifetime=0), Refusal.TIME),
        (attrs.evolve(BOT, lifetime=91 * DAY), Refusal.TIME),
    ],
)
def test_what_is_not_made(wanted, why):
    assert personal_tokens.refuse(wanted, LIMITS) is why


@pytest.mark.parametrize(
    ("parts", "is_it"),
    [
        ({MAS_ADMIN}, True),
        ({SERVER_ADMIN, MAS_ADMIN}, True),
        ({MAS_ADMIN, READ}, False),
        ({READ}, False),
        (set(), False),
    ],
)
def test_what_has_nothing_to_do_with_a_device(parts, is_it):
    """The preset of the form, a new device, would be refused for it."""
    assert personal_tokens.is_of_no_device(frozenset(parts)) is is_it


WANTED = st.builds(
    Wanted,
    name=st.text(max_size=120),
    parts=st.frozensets(st.sampled_from(PARTS)),
    rooms=st.lists(st.text(max_size=20) | st.just(GARDEN), max_size=10).map(tuple),
    device_id=st.none() | st.just("TESTDEVICE"),
    lifetime=st.none() | st.integers(),
)


@given(WANTED)
def test_whatever_is_not_refused_has_a_scope(wanted):
    """With all that was chosen, or what contains it, and nothing beside it."""
    if personal_tokens.refuse(wanted, LIMITS) is not None:
        return
    scope = wanted.scope

    assert scope.opens_matrix
    assert scope.device_id == wanted.device_id
    assert set(scope.rooms) == set(wanted.rooms)
    opened = {each.scope for each in scope.permissions} - {DEVICE, ROOM}
    assert opened <= wanted.parts
    assert API in opened or opened == wanted.parts


def test_one_without_an_end_takes_the_operator():
    assert (
        personal_tokens.refuse(
            attrs.evolve(BOT, lifetime=None), attrs.evolve(LIMITS, is_endless=True)
        )
        is None
    )


@pytest.mark.parametrize(
    ("longest", "offered"),
    [
        (365, (7, 30, 90, 180, 365)),
        (100, (7, 30, 90, 100)),
        (3, (3,)),
        (1000, (7, 30, 90, 180, 365, 1000)),
    ],
)
def test_what_is_offered_may_be_chosen(longest, offered):
    limits = attrs.evolve(LIMITS, longest=longest * DAY)

    assert limits.lifetimes == tuple(days * DAY for days in offered)
    for lifetime in limits.lifetimes:
        assert personal_tokens.refuse(attrs.evolve(BOT, lifetime=lifetime), limits) is None


@pytest.mark.parametrize(
    ("named", "is_admin", "given"),
    [
        (None, False, set(PARTS) - POWERS),
        (None, True, set(PARTS)),
        ({READ, SEND}, False, {READ, SEND}),
        ({READ, SEND}, True, {READ, SEND}),
        # What a scope contains may be given where it may.
        ({API}, False, {API, *NARROW}),
        ({API, MAS_ADMIN}, True, {API, *NARROW, MAS_ADMIN}),
        ({API, ADMIN}, True, {API, *NARROW, ADMIN, SERVER_ADMIN}),
        ({SERVER_ADMIN}, True, {SERVER_ADMIN}),
        # A configuration with this in it is refused; be it there all the same.
        ({API, ADMIN, MAS_ADMIN}, False, {API, *NARROW}),
    ],
)
def test_c311_what_the_operator_lets_people_give(named, is_admin, given):
    named = None if named is None else frozenset(named)

    assert personal_tokens.givable(named, is_admin=is_admin) == given


@given(
    WANTED,
    st.none() | st.frozensets(st.sampled_from(PARTS), min_size=1),
    st.booleans(),
)
def test_c311_a_token_opens_nothing_that_the_operator_withholds(wanted, named, is_admin):
    """Whatever was chosen: what is made opens what was named, what that contains, and no more."""
    parts = personal_tokens.givable(named, is_admin=is_admin)
    refusal = personal_tokens.refuse(wanted, attrs.evolve(LIMITS, parts=parts))

    assert (
        refusal is Refusal.NOT_ALLOWED or wanted.parts <= parts or not 0 < len(wanted.name) <= 100
    )
    if refusal is None:
        opened = {each.scope for each in wanted.scope.permissions} - {DEVICE, ROOM}
        assert opened <= parts
        assert API in parts or API not in opened
        assert is_admin or not wanted.scope.admin


def test_who_may():
    assert [who.may(is_admin=False) for who in Who] == [True, False, False]
    assert [who.may(is_admin=True) for who in Who] == [True, True, False]


SHORT = SessionLifetimes(idle=60, absolute=3600, idle_without_device=60)


@pytest.mark.parametrize("device_id", ["TESTDEVICE", None])
def test_it_is_good_until_its_own_end(device_id):
    """What the operator says of sessions is about those that renew their tokens, and is not for it."""
    session = a_session(
        device_id=device_id, scope=READ, began_by=Began.PERSONAL, expires_at=NOW + 90 * DAY
    )

    assert session.over(NOW + 90 * DAY - 1, SHORT) is None
    assert session.over(NOW + 90 * DAY, SHORT) is End.LIFETIME
    assert session.ends_at(SHORT) == NOW + 90 * DAY
    endless = attrs.evolve(session, expires_at=None)
    assert endless.over(NOW + 10_000 * DAY, SHORT) is None
    assert endless.ends_at(SHORT) is None
    assert attrs.evolve(session, began_by=Began.CODE).over(NOW + 60, SHORT) is End.IDLE
