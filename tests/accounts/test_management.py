"""The pages about an account, and what clients send people there for."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.accounts.management import SECTIONS, Action, Place, Target, meant_by

OVERVIEW, LIST = Target(), Target(Place.DEVICES)
VIEW, DELETE = Target(Place.DEVICE, "PHONE"), Target(Place.END_DEVICE, "PHONE")


@pytest.mark.parametrize(
    ("action", "device_id", "target"),
    [
        (None, None, OVERVIEW),
        ("", "", OVERVIEW),
        ("org.matrix.devices_list", None, LIST),
        ("org.matrix.devices_list", "PHONE", LIST),
        ("devices_list", None, LIST),
        ("org.matrix.device_view", "PHONE", VIEW),
        ("device_view", "PHONE", VIEW),
        ("org.matrix.device_delete", "PHONE", DELETE),
        ("device_delete", "PHONE", DELETE),
        ("org.matrix.session_view", "PHONE", VIEW),
        ("org.matrix.session_end", "PHONE", DELETE),
        ("org.matrix.sessions_list", None, LIST),
        ("sessions_list", None, LIST),
        ("session_view", "PHONE", VIEW),
        ("session_end", "PHONE", DELETE),
        ("org.matrix.device_delete", None, LIST),
        ("org.matrix.device_delete", "", LIST),
        ("org.matrix.device_delete", "x" * 513, LIST),
        ("ORG.MATRIX.DEVICE_VIEW", "PHONE", OVERVIEW),
        ("org.matrix.org.matrix.device_view", "PHONE", OVERVIEW),
        ("javascript:alert(1)", "PHONE", OVERVIEW),
    ],
)
def test_c197_a_link_says_what_to_show(action, device_id, target):
    """The former names of the specification too; what we do not know shows the overview."""
    assert meant_by(action, device_id) == target


anything = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=50)
targets = st.builds(Target, st.sampled_from(Place), st.none() | anything.filter(bool))


@given(st.none() | st.sampled_from([a.value for a in Action]) | anything, st.none() | anything)
def test_c194_a_link_leads_to_a_page_of_ours(action, device_id):
    """Whatever else it says: to no other one, and with nothing but an id."""
    target = meant_by(action, device_id)
    url = urlsplit(target.url)

    assert (url.scheme, url.netloc, url.path) == ("", "", target.place.value)
    assert dict(parse_qsl(url.query, keep_blank_values=True)).keys() <= {"id"}


@given(targets)
def test_c194_whoever_comes_back_comes_back_to_the_same_thing(target):
    """By what an attempt keeps, by the address of the sign-in page, and by its own."""
    page, its_id = target.parameters["page"], target.parameters.get("id")
    asked = dict(parse_qsl(urlsplit(target.url).query, keep_blank_values=True))

    assert Target.of_text(target.text) == target
    assert Target.read(page, its_id) == target
    assert Target(target.place, asked.get("id")) == target
    assert target.url.isascii()


@pytest.mark.parametrize(
    "text",
    [None, "", "action=org.matrix.device_view&device_id=PHONE", "https://example.com/", "x y"],
)
def test_c194_what_an_earlier_release_kept_leads_to_the_overview(text):
    """So does whatever else is no page of ours."""
    assert Target.of_text(text) == OVERVIEW


def test_every_page_belongs_to_a_place_of_the_navigation():
    """So that every page says where one is."""
    assert {place.section for place in Place} == set(SECTIONS)
