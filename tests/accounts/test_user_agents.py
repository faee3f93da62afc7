"""A rough idea of a device, in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.accounts.user_agents import describe

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (CHROME, "Chrome on Linux"),
        (CHROME + " Edg/131.0", "Edge on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; rv:132.0) Gecko/20100101 Firefox/132.0",
            "Firefox on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Safari/604.1",
            "Safari on an iPhone",
        ),
        ("Element X/25.11 (Google Pixel 9; Android 16; Sdk 25.11)", "Element X on Android"),
        ("Element X/25.11.0 (iPhone 15; iOS 18.1; Scale/3.00)", "Element X on an iPhone"),
        ("SchildiChat Next", "SchildiChat Next"),
        ("curl/8.11.0", "curl"),
        ("Python/3.11 aiohttp/3.9.1", "Python"),
        ("x" * 200, None),
        (None, None),
        ("", None),
        ("\n\t\0", None),
    ],
)
def test_what_a_device_says_of_itself(user_agent, words):
    """Good enough to notice a device that is not one's own."""
    assert describe(user_agent) == words


@given(st.text(st.characters(codec=None)))
def test_any_user_agent_is_answered(user_agent):
    """Shortly, in one printable line."""
    words = describe(user_agent)

    assert words is None or (len(words) < 80 and words.isprintable())
