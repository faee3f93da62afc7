"""What another module asks for at a sign-in and shows on the overview, in a real browser."""

import pytest

from support.chromium import problems
from support.extended import extended_homeserver
from support.oauth import Server


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """Yield a homeserver with the module of the documentation."""
    with extended_homeserver(tmp_path_factory.mktemp("homeserver-extended")) as homeserver:
        yield homeserver


@pytest.fixture
def server(extended):
    return Server(extended.base_url)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_terms_are_read_and_accepted_on_the_smallest_screen(extended, open_tab, axe, scripts):
    """With nothing but a form; what is left out is said, and the card is on the overview then."""
    view = {"viewport": {"width": 320, "height": 640}, "reduced_motion": "reduce"}
    tab = open_tab(java_script_enabled=scripts, **view)
    tab.open("sign-in")
    tab.sign_in(extended.new_user())
    assert tab.path == "stage"
    found = problems(tab, axe) if scripts else []
    width = tab.page.evaluate("document.documentElement.scrollWidth")
    tab.page.get_by_role("checkbox").check()
    tab.page.locator("button[value=continue]").click()
    tab.page.wait_for_url("**/auth/")
    tab.open("account")

    assert found == []
    assert width <= 320
    assert tab.page.get_by_text("Terms of use", exact=False).first.is_visible()
    assert (problems(tab, axe) if scripts else []) == []
