"""From which page of ours a browser says that it comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.web.came_from import page_of_ours

ISSUER = "https://example.com/_synapse/client/auth/"


@pytest.mark.parametrize(
    "page",
    [
        "sign-in",
        "sign-in?grant=8a1f",
        "api/doc/",
        "account-device?id=A%2FB&next=x",
        "approve?a=//b",
    ],
)
def test_a_page_of_ours_is_told_by_its_place(page):
    assert page_of_ours(ISSUER + page, below=ISSUER) == page
    assert page_of_ours(page) == page


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            ISSUER,
            "/evil",
            "//evil.example",
            "https://evil.example/",
            "https:evil",
            "javascript:x",
        ),
        *(
            "../../x",
            "sign-in/../../x",
            "a//b",
            "/\\\\evil",
            "\\\\evil",
            "sign-in#x",
            "sign-in?a=\n",
            "sign-in?\u00e9",
        ),
        *("sign-in\r\nSet-Cookie: a=b", "x" * 2001, "?a=b"),
    ],
)
def test_c197_nothing_else_is_a_way_back(url):
    """Neither in a header nor in a form: it leads to a page of ours or nowhere."""
    assert page_of_ours(url) is None
    assert page_of_ours(url, below=ISSUER) is None


@given(st.text(max_size=40))
def test_c197_whatever_leads_back_stays_below_the_issuer(url):
    """It is relative to it: neither a scheme nor a host nor a way up."""
    found = page_of_ours(url)

    if found is not None:
        path = found.partition("?")[0]
        assert not {":", "\\", "."} & set(path)
        assert not path.startswith("/")
