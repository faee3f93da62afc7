"""How long a browser stays signed in."""

import pytest

from support.records import NOW, a_sign_in
from synapse_nextgen_auth.accounts.sign_ins import LONGEST_FRESH, BrowserLifetimes, last_provider

LIMITS = BrowserLifetimes(idle=100, absolute=500)


@pytest.mark.parametrize(
    ("fields", "at", "signed_in"),
    [
        ({}, 0, True),
        ({}, 99, True),
        ({}, 100, False),
        ({"last_active_at": NOW + 50}, 149, True),
        ({"last_active_at": NOW + 50}, 150, False),
        ({"last_active_at": NOW + 450}, 499, True),
        ({"last_active_at": NOW + 450}, 500, False),
        ({"ended_at": NOW}, 0, False),
        ({"ended_at": NOW + 50}, 0, False),
    ],
)
def test_c190_a_browser_holds(fields, at, signed_in):
    """Until it signs out, was not here for long, or signed in too long ago: on the second."""
    assert a_sign_in(**fields).holds(NOW + at, LIMITS) is signed_in


@pytest.mark.parametrize(
    ("idle", "every"), [(14 * 86_400, 3600), (36_000, 3600), (35_990, 3599), (20, 2), (5, 1)]
)
def test_c190_visits_are_written_down_often_enough(idle, every):
    """After a tenth of the idle limit, and after an hour at the latest."""
    assert BrowserLifetimes(idle=idle).noted_every == every


def test_the_defaults():
    """Two weeks without a visit, three months at most."""
    assert BrowserLifetimes() == BrowserLifetimes(idle=14 * 86_400, absolute=90 * 86_400)


@pytest.mark.parametrize("ahead", [-10, 0, 60, 61, 10**8])
def test_c379_a_browser_from_the_future_begins_anew(ahead):
    """It stays signed in, its limits begin now, and its sign-in is not fresh."""
    browser = a_sign_in(signed_in_at=NOW + ahead, last_active_at=NOW + ahead)
    assert browser.is_from_the_future(NOW) is (ahead > 60)

    right = browser.set_right(NOW)

    assert right.holds(NOW, BrowserLifetimes())
    assert not right.is_from_the_future(NOW)
    assert right.signed_in_at == (NOW - LONGEST_FRESH if ahead > 60 else NOW + ahead)
    assert right.last_active_at == NOW


@pytest.mark.parametrize(
    ("sign_ins", "provider"),
    [
        ([], None),
        ([(None, 0)], None),
        ([("oidc-a", 0)], "oidc-a"),
        ([("oidc-a", 0), ("oidc-b", 5), (None, 9)], "oidc-b"),
        ([("oidc-a", 5), ("oidc-b", 0)], "oidc-a"),
    ],
)
def test_the_provider_that_was_used_last(sign_ins, provider):
    """Whatever its account is, and also where somebody typed a password after that."""
    found = [a_sign_in(provider=name, signed_in_at=NOW + at) for name, at in sign_ins]

    assert last_provider(found) == provider


PROVIDER = {"provider": "oidc-a", "amr": "mfa"}


@pytest.mark.parametrize(
    ("before", "now", "proven_at", "amr"),
    [
        ({"amr": "pwd"}, PROVIDER, NOW, "pwd"),
        ({"amr": "pwd"}, PROVIDER | {"auth_time": NOW - 5}, NOW, "pwd"),
        ({"amr": "pwd"}, PROVIDER | {"auth_time": NOW + 5}, NOW + 5, "mfa"),
        ({"amr": "pwd"}, {"amr": "x"}, NOW + 100, "x"),
        (PROVIDER, {"amr": "pwd"}, NOW + 100, "pwd"),
        (PROVIDER, PROVIDER, None, "mfa"),
        (PROVIDER | {"auth_time": NOW - 9}, PROVIDER, NOW - 9, "mfa"),
        (PROVIDER, PROVIDER | {"auth_time": NOW - 9}, NOW - 9, "mfa"),
        # A code of an app beside it is more than there was, however old the rest is.
        ({"amr": "pwd"}, PROVIDER | {"level": 2}, None, "mfa"),
        ({"amr": "pwd"}, PROVIDER | {"auth_time": NOW - 5, "level": 2}, NOW - 5, "mfa"),
        ({"amr": "pwd", "level": 2}, PROVIDER | {"level": 2}, NOW, "pwd"),
        ({"amr": "pwd", "level": 3}, PROVIDER | {"level": 2}, NOW, "pwd"),
    ],
)
def test_c023_what_was_proven_last_counts(before, now, proven_at, amr):
    """Whoever comes once more from a provider that asked them nothing has proved nothing since."""
    again = a_sign_in("again", signed_in_at=NOW + 100, **now)

    renewed = again.renewing(a_sign_in(**before))

    assert (renewed.proven_at, renewed.amr) == (proven_at, amr)
    assert (renewed.provider, renewed.signed_in_at) == (again.provider, NOW + 100)
