"""Sign-ups: which page is next, for every configuration that Synapse knows, and who gets to the end."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.accounts.attempts import sign_ups
from synapse_nextgen_auth.accounts.attempts.sign_ups import (
    CAPTCHA,
    DUMMY,
    EMAIL,
    MSISDN,
    SKIPPED,
    TERMS,
    TOKEN,
    TYPES,
    Demands,
    Progress,
)
from synapse_nextgen_auth.accounts.attempts.stages import Stage
from synapse_nextgen_auth.secret import Keyring

KEYS = Keyring.of(b"a master secret that is long enough")


def synapses_flows(*, needs=(), email=False, msisdn=False, bypass=False, always=()):
    """Return the flows as `_calculate_registration_flows` makes them; `always` is in each of them."""
    flows = [] if needs else [{DUMMY}]
    if email and MSISDN not in needs:
        flows.append({EMAIL})
    if msisdn and EMAIL not in needs:
        flows.append({MSISDN})
    if email and msisdn:
        flows.append({MSISDN, EMAIL})
    if bypass:
        flows.append({TOKEN})
    return tuple(frozenset({*flow, *always}) for flow in flows)


def demands(*, also=(), pages=frozenset(TYPES), **options):
    return Demands(synapses_flows(**options), also=frozenset(also), pages=frozenset(pages))


def progress(found, completed=(), skipped=()):
    return Progress(found, frozenset(completed), frozenset(skipped))


BARE = demands()
EVERYTHING = demands(needs={EMAIL}, email=True, always=(CAPTCHA, TERMS, TOKEN))
BOTH = demands(needs={EMAIL, MSISDN}, email=True, msisdn=True)
EITHER = demands(email=True, msisdn=True)
BYPASS = demands(needs={EMAIL}, email=True, bypass=True)


@pytest.mark.parametrize(
    ("found", "completed", "skipped", "missing"),
    [
        (BARE, (), (), ()),
        (EVERYTHING, (), (), (Stage.ACCOUNT,)),
        (EVERYTHING, (TOKEN,), (), (Stage.CAPTCHA, Stage.EMAIL, Stage.TERMS)),
        (EVERYTHING, (TOKEN, CAPTCHA, EMAIL, TERMS), (), ()),
        (EVERYTHING, (TOKEN, CAPTCHA, TERMS), (EMAIL,), (Stage.EMAIL,)),
        (BOTH, (), (), (Stage.EMAIL, Stage.MSISDN)),
        (BOTH, (EMAIL,), (), (Stage.MSISDN,)),
        (EITHER, (), (TOKEN,), (Stage.EMAIL, Stage.MSISDN)),
        (EITHER, (), (TOKEN, EMAIL), (Stage.MSISDN,)),
        (EITHER, (), (TOKEN, EMAIL, MSISDN), ()),
        (EITHER, (EMAIL,), (TOKEN, MSISDN), ()),
        (BYPASS, (), (TOKEN,), (Stage.EMAIL,)),
        (BYPASS, (TOKEN,), (), (Stage.EMAIL,)),
        (BYPASS, (TOKEN,), (EMAIL,), ()),
        (demands(also=(CAPTCHA,)), (), (), (Stage.CAPTCHA,)),
        (demands(always=(TERMS,), pages={Stage.EMAIL}), (), (), (Stage.ACCOUNT,)),
        (demands(email=True, pages=()), (), (), ()),
    ],
)
def test_what_is_missing_follows_from_the_flows(found, completed, skipped, missing):
    """In the order of the pages; one that may be skipped is offered."""
    assert progress(found, completed, skipped).missing == missing


@pytest.mark.parametrize(
    ("found", "completed", "skipped", "may"),
    [
        (EITHER, (), (), {Stage.EMAIL, Stage.MSISDN}),
        (BOTH, (), (), set()),
        (EVERYTHING, (TOKEN,), (), set()),
        (BYPASS, (TOKEN,), (), {Stage.EMAIL}),
        (BYPASS, (), (TOKEN,), set()),
        (demands(needs={EMAIL}, email=True, msisdn=True), (), (), {Stage.MSISDN}),
    ],
)
def test_a_stage_may_be_skipped_where_a_flow_goes_on_without_it(found, completed, skipped, may):
    assert {each for each in TYPES if progress(found, completed, skipped).may_skip(each)} - {
        stage for stage, kind in TYPES.items() if not any(kind in flow for flow in found.open)
    } == may


def test_the_token_stands_on_the_first_page():
    """Needed where no flow does without it, and asked where any has it."""
    assert (EVERYTHING.asks_token, EVERYTHING.needs_token) == (True, True)
    assert (BYPASS.asks_token, BYPASS.needs_token) == (True, False)
    assert (BARE.asks_token, BARE.needs_token) == (False, False)


def test_a_page_says_which_of_how_many_it_is():
    """The first page counts; what was skipped is no page any more."""
    steps = progress(EVERYTHING, (TOKEN,))

    assert steps.step(Stage.ACCOUNT) == sign_ups.Step(1, 4)
    assert steps.step(Stage.EMAIL) == sign_ups.Step(3, 4)
    assert steps.step(Stage.TERMS) == sign_ups.Step(4, 4)
    assert progress(BARE).step(Stage.ACCOUNT) == sign_ups.Step(1, 1)


def test_the_dummy_is_completed_only_where_nothing_else_is_enough():
    """As stock's clients do: modules see it then, and not beside an address."""
    assert BARE.needs_dummy(())
    assert EITHER.needs_dummy(())
    assert not EITHER.needs_dummy((EMAIL,))
    assert not BYPASS.needs_dummy((TOKEN,))


def test_answers_come_back_as_they_were_and_of_another_key_not_at_all():
    """Sealed; a skipped stage is one by Synapse's name."""
    answered = {
        "email": sign_ups.seal(KEYS, SKIPPED),
        "terms": sign_ups.seal(KEYS, {"version": "1"}),
    }
    other = Keyring.of(b"another master secret, long enough")

    found = sign_ups.unseal_all(KEYS, answered)

    assert found == {Stage.EMAIL: SKIPPED, Stage.TERMS: {"version": "1"}}
    assert sign_ups.skipped(found) == {EMAIL}
    assert sign_ups.unseal_all(other, answered) == {}


KINDS = [DUMMY, TOKEN, CAPTCHA, EMAIL, MSISDN, TERMS, "org.example.unknown"]
FLOWS = st.lists(st.frozensets(st.sampled_from(KINDS), min_size=1), max_size=4).map(tuple)
SETS = st.frozensets(st.sampled_from(KINDS))
PAGES = st.frozensets(st.sampled_from(list(TYPES)))


@given(FLOWS, st.frozensets(st.sampled_from([CAPTCHA])), PAGES, SETS, SETS)
def test_nobody_reaches_the_end_but_whoever_covers_a_flow(flows, also, pages, completed, skipped):
    """Whatever is configured, completed and skipped, in whatever order: nothing is asked, or one is."""
    found = Demands(flows, also, pages)
    now = Progress(found, completed, skipped)

    if not now.asked.stages:
        assert any(flow | also <= {DUMMY, *completed} for flow in flows)
        assert found.covered(completed)


@given(FLOWS, PAGES, st.data())
def test_whoever_goes_on_comes_to_the_end(flows, pages, data):
    """Each page is seen once, and the last one leads to an account, unless no flow is open."""
    found = Demands(flows, pages=pages)
    completed = frozenset({TOKEN}) if found.asks_token and data.draw(st.booleans()) else frozenset()
    skipped = {TOKEN} - completed
    if not found.open or (found.needs_token and not completed):
        assert Progress(found, completed, frozenset(skipped)).asked.stages == (Stage.ACCOUNT,)
        return

    for _ in itertools.count():
        now = Progress(found, completed, frozenset(skipped))
        if not now.asked.stages:
            break
        stage = now.asked.stages[0]
        assert stage in pages
        assert TYPES[stage] not in completed | skipped
        if now.may_skip(stage) and data.draw(st.booleans()):
            skipped.add(TYPES[stage])
        else:
            completed |= {TYPES[stage]}

    assert found.covered(completed)


@given(FLOWS, SETS, st.sampled_from(list(TYPES)))
def test_what_may_not_be_skipped_stays_asked(flows, completed, stage):
    """Where no open flow goes on without it."""
    found = Demands(flows)
    before = Progress(found, completed)
    skipped = Progress(found, completed, frozenset({TYPES[stage]}))

    if found.open and not before.may_skip(stage):
        assert skipped.asked == before.asked


@pytest.mark.parametrize(
    ("accepted", "version", "counts"),
    [("1.0", "1.0", True), ("1.0", "2.0", False), (None, "1.0", False), ("1.0", None, False)],
)
def test_other_terms_than_those_that_were_shown_are_not_accepted(accepted, version, counts):
    """They may be replaced between two pages."""
    answers = {} if accepted is None else {Stage.TERMS: {"version": accepted}}
    found = sign_ups.counting({EMAIL: 1, TERMS: True}, answers, terms_version=version)

    assert found == {EMAIL: 1, **({TERMS: True} if counts else {})}
