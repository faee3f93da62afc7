"""Who needs a second factor: the strictest of all that is said of an account."""

import re

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.records import ALICE, BOB, NOW
from synapse_nextgen_auth.accounts.factors.demands import Demand, Rule
from synapse_nextgen_auth.accounts.factors.policy import (
    Entry,
    FactorPolicy,
    LegacyLogins,
    Remembered,
    strictest,
)

OFF, OPTIONAL, REQUIRED = Rule.OFF, Rule.OPTIONAL, Rule.REQUIRED
DAY = 24 * 3600
LOCALPART = ALICE[1:].partition(":")[0]


@pytest.mark.parametrize(
    ("policy", "of_alice", "of_an_admin"),
    [
        (FactorPolicy(), OFF, OFF),
        (FactorPolicy(everybody=OPTIONAL), OPTIONAL, OPTIONAL),
        (FactorPolicy(admins=REQUIRED), OFF, REQUIRED),
        (FactorPolicy(everybody=OPTIONAL, admins=REQUIRED), OPTIONAL, REQUIRED),
        # What is said of administrators takes nothing away.
        (FactorPolicy(everybody=REQUIRED, admins=OPTIONAL), REQUIRED, REQUIRED),
        (FactorPolicy(accounts=(Entry(REQUIRED, frozenset({ALICE})),)), REQUIRED, REQUIRED),
        (FactorPolicy(accounts=(Entry(REQUIRED, frozenset({LOCALPART})),)), REQUIRED, REQUIRED),
        # Who signs in as "Alice" is meant by "Alice".
        (
            FactorPolicy(accounts=(Entry(REQUIRED, frozenset({LOCALPART.title()})),)),
            REQUIRED,
            REQUIRED,
        ),
        (FactorPolicy(accounts=(Entry(REQUIRED, frozenset({ALICE.upper()})),)), REQUIRED, REQUIRED),
        (FactorPolicy(accounts=(Entry(REQUIRED, frozenset({BOB})),)), OFF, OFF),
        (FactorPolicy(accounts=(Entry(OPTIONAL, frozenset({ALICE, BOB})),)), OPTIONAL, OPTIONAL),
        # The whole id, and not a part of it.
        (FactorPolicy(accounts=(Entry(REQUIRED, matching=re.compile(LOCALPART)),)), OFF, OFF),
        (
            FactorPolicy(accounts=(Entry(REQUIRED, matching=re.compile(f"@{LOCALPART}:.*")),)),
            REQUIRED,
            REQUIRED,
        ),
        (
            FactorPolicy(
                everybody=OFF,
                accounts=(
                    Entry(OPTIONAL, frozenset({ALICE})),
                    Entry(REQUIRED, matching=re.compile("@.*")),
                ),
            ),
            REQUIRED,
            REQUIRED,
        ),
    ],
)
def test_the_strictest_rule_holds(policy, of_alice, of_an_admin):
    """Of what is written for everybody, for administrators, and for some accounts."""
    assert policy.rule_of(ALICE, is_admin=False) is of_alice
    assert policy.rule_of(ALICE, is_admin=True) is of_an_admin
    assert policy.is_on is (policy != FactorPolicy())


ENTRIES = st.builds(
    Entry,
    rule=st.sampled_from(Rule),
    names=st.sets(st.sampled_from([ALICE, BOB, LOCALPART])).map(frozenset),
)
POLICIES = st.builds(
    FactorPolicy,
    everybody=st.sampled_from(Rule),
    admins=st.sampled_from(Rule),
    accounts=st.lists(ENTRIES, max_size=3).map(tuple),
    grace=st.sampled_from([0, DAY]),
)


@given(POLICIES, st.booleans(), st.lists(st.sampled_from(Rule)), st.sampled_from(Rule))
def test_nothing_that_is_added_makes_it_less_strict(policy, is_admin, others, more):
    """Neither another entry, nor what another module says."""
    rule = policy.rule_of(ALICE, is_admin=is_admin, others=others)
    longer = attrs.evolve(policy, accounts=(*policy.accounts, Entry(more, frozenset({ALICE}))))

    assert rule is strictest([policy.rule_of(ALICE, is_admin=is_admin), *others])
    assert strictest([rule, more]) is policy.rule_of(
        ALICE, is_admin=is_admin, others=[*others, more]
    )
    assert strictest([rule, more]) is longer.rule_of(ALICE, is_admin=is_admin, others=others)
    assert policy.is_on or policy.rule_of(ALICE, is_admin=is_admin) is OFF


@pytest.mark.parametrize(
    ("rule", "grace", "since", "demand"),
    [
        (REQUIRED, 0, None, Demand(rule=REQUIRED)),
        (REQUIRED, DAY, NOW, Demand(rule=REQUIRED, may_wait=True, until=NOW + DAY)),
        (REQUIRED, DAY, NOW - DAY + 1, Demand(rule=REQUIRED, may_wait=True, until=NOW + 1)),
        (REQUIRED, DAY, NOW - DAY, Demand(rule=REQUIRED, until=NOW)),
        # Whoever owes nothing has one.
        (REQUIRED, DAY, None, Demand(rule=REQUIRED)),
        # What was given once is taken back with the option.
        (REQUIRED, 0, NOW, Demand(rule=REQUIRED)),
        (OPTIONAL, DAY, NOW, Demand(rule=OPTIONAL)),
        # Others have factors here: what this one has from before is asked for.
        (OFF, DAY, NOW, Demand(rule=OPTIONAL, may_add=False)),
        (OFF, 0, None, Demand(rule=OPTIONAL, may_add=False)),
    ],
)
def test_an_account_is_given_time_from_the_first_demand_on(rule, grace, since, demand):
    """Until a day, and not a second longer."""
    assert FactorPolicy(grace=grace).demand(rule, since=since, now=NOW) == demand


@pytest.mark.parametrize(
    ("everybody", "admins", "of_alice", "of_an_admin", "is_apart"),
    [
        (REQUIRED, REQUIRED, DAY, 0, True),
        (OPTIONAL, REQUIRED, DAY, 0, True),
        # What holds for everybody gives everybody the same time.
        (REQUIRED, OFF, DAY, DAY, False),
        (REQUIRED, OPTIONAL, DAY, DAY, False),
        (OFF, OPTIONAL, DAY, DAY, True),
    ],
)
def test_administrators_who_must_have_one_by_themselves_are_given_no_time(
    everybody, admins, of_alice, of_an_admin, is_apart
):
    """Their power is there from the first moment on."""
    policy = FactorPolicy(everybody=everybody, admins=admins, grace=DAY)
    demand = policy.demand(REQUIRED, since=NOW, now=NOW, is_admin=True)

    assert policy.grace_of(is_admin=False) == of_alice
    assert policy.grace_of(is_admin=True) == of_an_admin
    assert policy.tells_admins_apart is is_apart
    assert demand.may_wait is bool(of_an_admin)
    assert FactorPolicy(admins=admins, everybody=everybody).grace_of(is_admin=False) == 0


def test_what_browsers_are_known_by_is_not_printed():
    """The digest of a cookie stands in no log."""
    assert "abc" not in repr(Remembered("id", "abc", ALICE, NOW, NOW + 1, "an agent"))


def test_while_nobody_newly_signs_in_nobody_is_sent_to_a_page():
    """What the operator chose beside that stays."""
    assert [each.while_draining() for each in LegacyLogins] == [
        LegacyLogins.WARN,
        LegacyLogins.WARN,
        LegacyLogins.ALLOW,
    ]
