"""Which old way a login type is, and for whom it is open."""

import pytest

from synapse_nextgen_auth.accounts.legacy_login import Allowed, LegacyLoginRules, Way, way_of

TYPES = {
    "m.login.password": Way.PASSWORD,
    "com.example.ldap": Way.PASSWORD,
    "m.login.sso": Way.SSO,
    "m.login.cas": Way.SSO,
    "org.matrix.login.jwt": Way.JWT,
    "m.login.token": None,
    "m.login.application_service": None,
    None: None,
    7: None,
}


@pytest.mark.parametrize(("login_type", "way"), TYPES.items())
def test_every_type_is_one_way_or_none(login_type, way):
    assert way_of(login_type) is way


@pytest.mark.parametrize(("login_type", "way"), TYPES.items())
@pytest.mark.parametrize("allowed", Allowed)
def test_a_way_is_closed_by_its_own_option_alone(login_type, way, allowed):
    for closed in Way:
        rules = LegacyLoginRules(**{closed.value: allowed})

        assert rules.is_closed(login_type) is (way is closed and allowed is Allowed.NEVER)
        assert rules.depends(login_type) is (
            way is closed and allowed is Allowed.UNTIL_FIRST_SESSION
        )
