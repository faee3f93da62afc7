"""What people come to the account page for."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.accounts.management import Action, ActionRequest

LIST, VIEW, DELETE = Action


@pytest.mark.parametrize(
    ("action", "device_id", "wish"),
    [
        (None, None, ActionRequest()),
        ("", "", ActionRequest()),
        ("org.matrix.devices_list", None, ActionRequest(LIST)),
        ("org.matrix.devices_list", "PHONE", ActionRequest(LIST)),
        ("org.matrix.device_view", "PHONE", ActionRequest(VIEW, "PHONE")),
        ("org.matrix.device_delete", "PHONE", ActionRequest(DELETE, "PHONE")),
        ("org.matrix.session_view", "PHONE", ActionRequest(VIEW, "PHONE")),
        ("org.matrix.session_end", "PHONE", ActionRequest(DELETE, "PHONE")),
        ("org.matrix.sessions_list", None, ActionRequest(LIST)),
        ("session_end", "PHONE", ActionRequest(DELETE, "PHONE")),
        ("org.matrix.device_delete", None, ActionRequest()),
        ("org.matrix.device_delete", "", ActionRequest()),
        ("org.matrix.device_delete", "x" * 513, ActionRequest()),
        ("org.matrix.account_deactivate", "PHONE", ActionRequest()),
        ("ORG.MATRIX.DEVICE_VIEW", "PHONE", ActionRequest()),
        ("javascript:alert(1)", "PHONE", ActionRequest()),
    ],
)
def test_c197_a_link_says_what_to_show(action, device_id, wish):
    """The former names of the specification too; what we do not know shows the list."""
    assert ActionRequest.read(action, device_id) == wish


anything = st.text(st.characters(codec="utf-8"), max_size=50)


@given(st.none() | st.sampled_from([a.value for a in Action]) | anything, st.none() | anything)
def test_c194_a_link_is_written_anew_from_what_was_understood(action, device_id):
    """Nothing else of it goes on, and reading it again is the same wish."""
    wish = ActionRequest.read(action, device_id)
    written = dict(parse_qsl(wish.query, keep_blank_values=True))

    assert ActionRequest.read(written.get("action"), written.get("device_id")) == wish
    assert written.keys() <= {"action", "device_id"}
    assert wish.query.isascii()
