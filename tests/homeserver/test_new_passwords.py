"""New passwords: this server's policy is what Synapse makes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synapse.api.errors import PasswordRefusedError
from synapse.handlers.password_policy import PasswordPolicyHandler

from synapse_nextgen_auth.accounts.new_passwords import PasswordPolicy

pytestmark = [pytest.mark.every_release]


class _Settings:
    """As much of a homeserver as the handler asks for."""

    def __init__(self, policy):
        self.config = self.auth = self
        self.password_policy, self.password_policy_enabled = policy, True


POLICIES = st.fixed_dictionaries(
    {},
    optional={"minimum_length": st.integers(0, 20)}
    | {f"require_{what}": st.booleans() for what in ("digit", "symbol", "uppercase", "lowercase")},
)


@given(POLICIES, st.text(st.sampled_from("aZ5-ß٣ "), max_size=22) | st.text(max_size=22))
def test_whatever_synapse_refuses_has_a_problem_here_and_nothing_else(policy, password):
    """The policy as stock `/register` has it."""
    handler = PasswordPolicyHandler(_Settings(policy))
    try:
        handler.validate_password(password)
        is_refused = False
    except PasswordRefusedError:
        is_refused = True

    assert bool(list(PasswordPolicy.read(policy).problems(password))) == is_refused
