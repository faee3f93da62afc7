"""When a code may be redeemed, and what a second try means."""

import itertools

import attrs
import pytest

from support.records import ALICE, CHALLENGE, NOW, REDIRECT_URI, VERIFIER, a_grant
from synapse_nextgen_auth.oauth.grants import authorization_code
from synapse_nextgen_auth.oauth.grants.authorization_code import (
    EXPIRED,
    REPLAY_TOLERANCE,
    ends_session,
)

GRANT = a_grant(user_id=ALICE, auth_time=NOW, approved_at=NOW, code_expires_at=NOW + 120)
RIGHT = {"client_id": "app", "redirect_uri": REDIRECT_URI, "verifier": VERIFIER, "now": NOW}


def refuse(grant=GRANT, **changes):
    """Say why this request is refused."""
    return authorization_code.refuse(grant, **RIGHT | changes)


def test_the_right_client_may_redeem():
    """With the right proof at the right time."""
    assert refuse() is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"client_id": "other"}, "another client", id="c073"),
        pytest.param({"client_id": "APP"}, "another client", id="c073-case"),
        pytest.param({"redirect_uri": None}, "redirect_uri", id="c074-missing"),
        pytest.param({"redirect_uri": ""}, "redirect_uri", id="c074-empty"),
        pytest.param({"redirect_uri": REDIRECT_URI + "/"}, "redirect_uri", id="c074-slash"),
        pytest.param({"redirect_uri": REDIRECT_URI.upper()}, "redirect_uri", id="c074-case"),
        pytest.param(
            {"redirect_uri": REDIRECT_URI.replace("/cb", "/%63b")},
            "redirect_uri",
            id="c074-encoded",
        ),
        pytest.param(
            {"redirect_uri": REDIRECT_URI.replace(".com", ".com:443")},
            "redirect_uri",
            id="c074-port",
        ),
        pytest.param({"redirect_uri": "é\ud800"}, "redirect_uri", id="c074-any-character"),
        pytest.param({"verifier": None}, "missing", id="c063"),
        pytest.param({"verifier": ""}, "43 to 128", id="c063-empty"),
        pytest.param({"verifier": VERIFIER[:-1]}, "43 to 128", id="c065-short"),
        pytest.param({"verifier": VERIFIER + "\n"}, "43 to 128", id="c065-newline"),
        pytest.param({"verifier": CHALLENGE}, "does not fit", id="c065-the-challenge"),
        pytest.param({"verifier": VERIFIER[:-1] + "K"}, "does not fit", id="c065-wrong"),
        pytest.param({"now": NOW + 120}, EXPIRED, id="c075"),
        pytest.param({"now": NOW + 121}, EXPIRED, id="c075-later"),
        pytest.param({"now": NOW - 61}, EXPIRED, id="c379-from-the-future"),
    ],
)
def test_everything_has_to_fit(changes, reason):
    """The reason goes to our log only; the client hears the same for each."""
    assert reason in refuse(**changes)


def test_c075_a_code_works_to_its_last_second():
    """And not without an end."""
    assert refuse(now=NOW + 119) is None
    assert refuse(now=NOW - 60) is None, "two clocks may differ"
    assert refuse(attrs.evolve(GRANT, code_expires_at=None)) == EXPIRED


@pytest.mark.parametrize(
    "wrong",
    [{"client_id": "x"}, {"redirect_uri": "x"}, {"verifier": "x"}],
    ids=["client", "redirect", "verifier"],
)
def test_expired_is_said_only_when_all_else_is_right(wrong):
    """So that a thief with an old code is still a thief."""
    assert refuse(now=NOW + 10**6, **wrong) != EXPIRED


def test_a_grant_without_pkce_wants_none():
    """A configured client that is exempt; a verifier without a challenge means a downgrade."""
    exempt = attrs.evolve(GRANT, code_challenge=None)

    assert refuse(exempt, verifier=None) is None
    assert refuse(exempt, verifier=VERIFIER) == "a code_verifier without a code_challenge"


@pytest.mark.parametrize(
    ("refusal", "refreshed", "at"),
    list(itertools.product([None, "why"], [False, True], [0, 20, 21])),
)
def test_c070_only_the_same_client_soon_and_before_a_refresh_is_forgiven(refusal, refreshed, at):
    """Everybody else copied the code."""
    spent = attrs.evolve(GRANT, redeemed_at=NOW)
    ends = ends_session(spent, refusal=refusal, refreshed=refreshed, now=NOW + at)

    assert REPLAY_TOLERANCE == 20
    assert ends == (refusal is not None or refreshed or at > 20)


@pytest.mark.parametrize(("ahead", "ends"), [(60, False), (61, True), (10**7, True)])
def test_c379_a_redemption_in_the_future_is_no_moment_ago(ahead, ends):
    """Or a copied code would be forgiven for as long as the clock ran ahead."""
    spent = attrs.evolve(GRANT, redeemed_at=NOW + ahead)

    assert ends_session(spent, refusal=None, refreshed=False, now=NOW) is ends
