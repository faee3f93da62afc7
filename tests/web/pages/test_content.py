"""What every page shares."""

import pytest

from synapse_nextgen_auth.web.pages.content import ClientCard


@pytest.mark.parametrize(
    ("name", "initial"),
    [("element", "E"), ("  ßx", "S"), ("\u202e Ω", "Ω"), ("123", "1"), ("🦊", "?"), ("", "?")],
)
def test_a_client_without_a_logo_has_a_letter(name, initial):
    """The picture is the first letter of the name, whatever else stands before it."""
    assert ClientCard(name, "example.com").initial == initial
