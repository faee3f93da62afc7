"""The grant types of the token endpoint: what one list says and the other does not is never so."""

import attrs
import pytest

from synapse_nextgen_auth.oauth.grants.grant_types import GRANT_TYPES, GrantType
from synapse_nextgen_auth.web.endpoints.token.exchange import NewSession, SameSession
from synapse_nextgen_auth.web.endpoints.token.table import EXCHANGES, checked

WRITTEN = tuple(exchange for _, exchange in EXCHANGES.values())
LISTED = GrantType(name="made up", may_be_configured=True)


def new_session(**fields):
    """Return a grant type as a file would write it."""
    code = EXCHANGES["authorization_code"][1]
    return attrs.evolve(
        code, name="made up", **{"gives_refresh_token": False, "only_new_device": True} | fields
    )


def same_session(**fields):
    return attrs.evolve(EXCHANGES["refresh_token"][1], name="made up", **fields)


def test_every_grant_type_that_is_listed_is_answered():
    """And no other."""
    assert list(EXCHANGES) == [kind.name for kind in GRANT_TYPES]
    assert checked((*WRITTEN, new_session()), (*GRANT_TYPES, LISTED)).keys() > EXCHANGES.keys()


@pytest.mark.parametrize(
    ("written", "listed", "reason"),
    [
        ([], [LISTED], "in one place only: .*made up"),
        ([new_session()], [], "in one place only: .*made up"),
        ([new_session(), new_session()], [LISTED], "in one place only"),
        (
            [new_session(gives_refresh_token=True)],
            [LISTED],
            "made up: does it give a refresh token",
        ),
        ([same_session()], [LISTED], "made up: does it begin a session"),
        ([new_session(only_new_device=False)], [LISTED], "made up: nobody agrees .* a device"),
        (
            [new_session(gives_refresh_token=True)],
            [GrantType(name="made up", begins_session=False, gives_refresh_token=True)],
            "made up: does it begin a session",
        ),
        (
            [new_session()],
            [GrantType(name="made up", has_consent=True, gives_refresh_token=True)],
            "made up: does it give a refresh token",
        ),
    ],
)
def test_what_one_list_forgets_stops_the_start(written, listed, reason):
    """A refresh token, or a session, on the word of one of them would be on nobody's."""
    with pytest.raises(ValueError, match=reason):
        checked((*WRITTEN, *written), (*GRANT_TYPES, *listed))


def test_a_record_that_does_not_say_whether_it_takes_over_devices_cannot_be_made():
    """C310: what somebody forgets signs nobody out."""
    said = attrs.asdict(new_session(), recurse=False)
    del said["only_new_device"]

    with pytest.raises(TypeError, match="only_new_device"):
        NewSession(**said)


def test_only_the_two_kinds_of_record_exist():
    """So the pipeline looks at an account before each of them."""
    assert {type(exchange) for exchange in WRITTEN} == {NewSession, SameSession}
