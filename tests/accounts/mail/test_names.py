"""Names that strangers chose, in notices."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.accounts.mail.names import MOST, of_device, plain

# What programs make links of, said as one pattern: a scheme, a host, an id of Matrix.
LINK = re.compile(r"\w:/|\w[.\u3002\uff0e\uff61][^\W\d_]|[@#!$+][^\s:]*:[\w\[]")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Element X", "Element X"),
        ("Element 1.11.5 (at 12:30)", "Element 1.11.5 (at 12:30)"),
        ("app.element.io: Chrome", "app.\u200belement.\u200bio: Chrome"),
        ("https://evil.example/x", "https:\u200b//evil.\u200bexample/x"),
        ("@admin:evil.example", "@admin:\u200bevil.\u200bexample"),
        ("#help:127.0.0.1", "#help:\u200b127.0.0.1"),
        ("Phone\n\n----\r\nThe administrators", "Phone ---- The administrators"),
        ("a\u202eb\u200bc\x00d", "a b c d"),
        ("Ünïcödé 手机 📱", "Ünïcödé 手机 📱"),
        ("x" * 200, "x" * (MOST - 1) + "…"),
    ],
)
def test_a_name_is_one_line_that_leads_nowhere(name, shown):
    assert plain(name) == shown


@given(st.text(alphabet=st.sampled_from("ab1.:/@#! \n\u3002\u202e[")) | st.text())
def test_c258_no_name_becomes_a_link_or_a_line_of_its_own(name):
    found = plain(name)

    assert len(found.splitlines()) <= 1
    assert len(found.replace("\u200b", "")) <= MOST
    assert not LINK.search(found)


def test_a_device_is_called_by_its_name_and_id():
    assert of_device("ABC", "a.b") == "a.\u200bb (ABC)"
    assert of_device("a.b", None) == "a.\u200bb"
