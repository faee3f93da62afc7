"""A rough idea of a device."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.accounts.user_agents import System, describe

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "program", "system"),
    [
        (CHROME, "Chrome", System.LINUX),
        (CHROME + " Edg/131.0", "Edge", System.LINUX),
        (
            "Mozilla/5.0 (Windows NT 10.0; rv:132.0) Gecko/20100101 Firefox/132.0",
            "Firefox",
            System.WINDOWS,
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Safari/604.1",
            "Safari",
            System.IPHONE,
        ),
        ("Element X/25.11 (Google Pixel 9; Android 16; Sdk 25.11)", "Element X", System.ANDROID),
        ("Element X/25.11.0 (iPhone 15; iOS 18.1; Scale/3.00)", "Element X", System.IPHONE),
        ("SchildiChat Next", "SchildiChat Next", None),
        ("curl/8.11.0", "curl", None),
        ("Python/3.11 aiohttp/3.9.1", "Python", None),
        ("Mozilla/5.0 (Macintosh) Unheard/1.0", None, System.MAC),
    ],
)
def test_what_a_device_says_of_itself(user_agent, program, system):
    """Good enough to notice a device that is not one's own."""
    found = describe(user_agent)

    assert (found.program, found.system) == (program, system)
    assert found.is_browser == user_agent.startswith("Mozilla/")


@pytest.mark.parametrize("user_agent", ["x" * 200, None, "", "\n\t\0"])
def test_a_device_that_says_nothing_worth_showing(user_agent):
    """Then the page says nothing of it either."""
    assert describe(user_agent) is None


@given(st.text(st.characters(codec=None)))
def test_any_user_agent_is_answered(user_agent):
    """Shortly, in one printable line."""
    found = describe(user_agent)
    name = found.program if found else None

    assert name is None or (len(name) < 80 and name.isprintable())
