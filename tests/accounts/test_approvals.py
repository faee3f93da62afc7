"""Which request an approval is for, and for how long a person and then a session may act on it."""

import json

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.records import ALICE, BOB, NOW
from synapse_nextgen_auth.accounts import approvals
from synapse_nextgen_auth.accounts.approvals import (
    WINDOW,
    Answer,
    Approval,
    Details,
    Operation,
    Request,
    answer,
    devices_in,
    digest_of,
    operation_of,
)
from synapse_nextgen_auth.secret import Keyring

RESET = Operation.CROSS_SIGNING_RESET
KEYS = Keyring.of(b"a master secret that is long enough")
V3 = "/_matrix/client/v3"
REQUEST = Request(
    ALICE, "s", "PHONE", Operation.DELETE_DEVICES, "POST", f"{V3}/delete_devices", "digest"
)


def asked(request=REQUEST, at=0, **fields):
    """Return what a session asked for with a request."""
    made = Approval.asked("a", request, ui_session="ui", details="", address=None, now=NOW + at)
    return attrs.evolve(made, **fields)


@pytest.mark.parametrize(
    ("approved_at", "used_at", "at", "is_open"),
    [
        (None, None, 0, True),
        (None, None, WINDOW - 1, True),
        (None, None, WINDOW, False),
        (NOW, None, 0, False),
        (NOW, NOW, 0, False),
        (None, NOW, 0, False),
        (None, None, -60, True),
        (None, None, -61, False),
    ],
)
def test_c299_an_approval_is_open_for_ten_minutes(approved_at, used_at, at, is_open):
    """Once, to the second; and not when it was asked for by a clock that ran ahead."""
    approval = Approval("a", ALICE, "s", RESET, NOW, approved_at, used_at)

    assert approval.is_open(NOW + at) is is_open


def test_c299_what_was_refused_is_decided():
    """Nobody can be talked into it with the same page."""
    assert asked(refused_at=NOW).is_open(NOW) is False


def test_an_approval_out_of_the_database_has_its_operation():
    """The column is text, and what we do not know is no operation."""
    assert Approval("a", ALICE, "s", RESET, NOW).operation is Operation.CROSS_SIGNING_RESET
    with pytest.raises(ValueError, match="erase"):
        Approval("a", ALICE, "s", "erase", NOW)


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("POST", f"{V3}/keys/device_signing/upload", RESET),
        ("POST", "/_matrix/client/unstable/keys/device_signing/upload", RESET),
        ("DELETE", f"{V3}/devices/PHONE", Operation.DELETE_DEVICES),
        ("DELETE", "/_matrix/client/r0/devices/a%2Fb", Operation.DELETE_DEVICES),
        ("POST", f"{V3}/delete_devices", Operation.DELETE_DEVICES),
        ("POST", f"{V3}/account/password", Operation.CHANGE_PASSWORD),
        ("POST", f"{V3}/account/3pid/add", Operation.ADD_ADDRESS),
        ("POST", f"{V3}/account/deactivate", Operation.DEACTIVATE),
        ("POST", "/_matrix/client/v1/login/get_token", Operation.LOGIN_TOKEN),
        (
            "POST",
            "/_matrix/client/unstable/org.matrix.msc3882/login/token",
            Operation.LOGIN_TOKEN,
        ),
        ("GET", f"{V3}/devices/PHONE", None),
        ("PUT", f"{V3}/devices/PHONE", None),
        ("POST", f"{V3}/account/3pid", None),
        ("POST", f"{V3}/something/new", None),
    ],
)
def test_what_a_request_would_do(method, path, operation):
    """What is none of these has no page, and nobody can approve it."""
    assert operation_of(method, path) is operation


@pytest.mark.parametrize(
    ("path", "body", "devices"),
    [
        (f"{V3}/devices/PHONE", {}, ("PHONE",)),
        (f"{V3}/devices/a%2Fb%20c", {"devices": ["OTHER"]}, ("a/b c",)),
        (f"{V3}/delete_devices", {"devices": ["B", "A", "B"]}, ("B", "A")),
        (f"{V3}/delete_devices", {"devices": []}, ()),
        (f"{V3}/delete_devices", {"devices": ["A", 1, None]}, ("A",)),
        (f"{V3}/delete_devices", {}, ()),
    ],
)
def test_c301_which_devices_a_request_deletes(path, body, devices):
    """Those that Synapse would delete, and no others: the page names them."""
    assert devices_in(path, body) == devices


BODY = {"new_password": "battery-staple", "logout_devices": False}


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        ({"logout_devices": False, "new_password": "battery-staple"}, True),
        (BODY | {"auth": {"type": "m.login.sso", "session": "x"}}, True),
        (BODY | {"auth": None}, True),
        (BODY | {"new_password": "battery-staplf"}, False),
        (BODY | {"logout_devices": True}, False),
        ({"new_password": "battery-staple"}, False),
        (BODY | {"more": 1}, False),
        ({}, False),
    ],
)
def test_c299_another_body_is_another_request(other, is_same):
    """The order of its keys says nothing, nor does who authenticates it; all else does."""
    assert (digest_of(KEYS, other) == digest_of(KEYS, BODY)) is is_same


def test_c234_nobody_finds_a_password_by_its_digest_without_the_key():
    """Whoever reads the database could try all words."""
    others = Keyring.of(b"another secret that is long enough")

    assert digest_of(KEYS, BODY) != digest_of(others, BODY)
    assert "battery" not in digest_of(KEYS, BODY)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=6,
    )
)
def test_any_body_has_a_digest(value):
    """Half characters and numbers without end included: what Synapse can read we can digest."""
    assert len(digest_of(KEYS, {"odd": value})) == 64


@pytest.mark.parametrize(
    "other",
    [
        {"user_id": BOB},
        {"session_id": "t"},
        {"device_id": "OTHER"},
        {"device_id": None},
        {"operation": Operation.DEACTIVATE},
        {"method": "DELETE"},
        {"path": "/_matrix/client/r0/delete_devices"},
        {"body": "another"},
    ],
    ids="".join,
)
def test_c299_an_approval_is_for_one_request_of_one_session(other):
    """Every part of it counts."""
    approved = asked(approved_at=NOW)

    assert approved.is_for(REQUEST)
    assert not approved.is_for(attrs.evolve(REQUEST, **other))
    assert answer([approved], attrs.evolve(REQUEST, **other), None, NOW) == (Answer.WAIT, None)


def test_a_reset_begun_on_our_page_is_for_the_next_upload_of_its_session():
    """There is no request yet to compare with. For anything else there is always one."""
    upload = attrs.evolve(REQUEST, operation=RESET, path=f"{V3}/keys/device_signing/upload")
    allowed = Approval("a", ALICE, "s", RESET, NOW, NOW)

    assert allowed.is_for(upload)
    assert not allowed.is_for(attrs.evolve(upload, session_id="t"))
    assert not allowed.is_for(attrs.evolve(upload, user_id=BOB))
    assert not attrs.evolve(allowed, operation=Operation.DELETE_DEVICES).is_for(REQUEST)
    legacy = attrs.evolve(allowed, session_id=ALICE)
    assert not legacy.is_for(attrs.evolve(upload, session_id=ALICE))


WAITING, APPROVED = asked(), asked(approval_id="yes", approved_at=NOW)
REFUSED = asked(approval_id="no", refused_at=NOW)
ANOTHER_PAGE = attrs.evolve(WAITING, approval_id="b", ui_session="later", requested_at=NOW + 1)


@pytest.mark.parametrize(
    ("found", "ui_session", "at", "expected"),
    [
        pytest.param([], None, 0, (Answer.WAIT, None), id="new"),
        pytest.param([WAITING], None, 1, (Answer.WAIT, WAITING), id="repeated"),
        pytest.param([WAITING], "ui", WINDOW // 2, (Answer.WAIT, WAITING), id="for-five-minutes"),
        pytest.param([WAITING], "ui", WINDOW // 2 + 1, (Answer.WAIT, None), id="a-page-with-time"),
        pytest.param([APPROVED], None, 1, (Answer.PASS, APPROVED), id="approved"),
        pytest.param([APPROVED], "ui", WINDOW, (Answer.PASS, APPROVED), id="approved-in-time"),
        pytest.param([APPROVED], "ui", WINDOW + 1, (Answer.WAIT, None), id="approved-too-long-ago"),
        pytest.param([APPROVED], "other", 1, (Answer.WAIT, APPROVED), id="other-session"),
        pytest.param(
            [attrs.evolve(APPROVED, used_at=NOW)], "ui", 1, (Answer.WAIT, None), id="used"
        ),
        pytest.param([WAITING, APPROVED], None, 1, (Answer.PASS, APPROVED), id="two-pages"),
        pytest.param(
            [APPROVED, ANOTHER_PAGE], "later", 1, (Answer.PASS, APPROVED), id="told-of-a-later-page"
        ),
        pytest.param(
            [APPROVED, ANOTHER_PAGE], "other", 1, (Answer.WAIT, ANOTHER_PAGE), id="told-of-neither"
        ),
        pytest.param([REFUSED], "ui", 1, (Answer.REFUSE, REFUSED), id="refused"),
        pytest.param([REFUSED], "other", 1, (Answer.REFUSE, REFUSED), id="refused-any-session"),
        pytest.param([REFUSED, WAITING], None, 1, (Answer.REFUSE, REFUSED), id="said-no"),
        pytest.param([REFUSED, APPROVED], None, 1, (Answer.PASS, APPROVED), id="said-no-then-yes"),
        pytest.param(
            [attrs.evolve(REFUSED, used_at=NOW)], "ui", 1, (Answer.WAIT, None), id="heard"
        ),
        pytest.param([REFUSED], "ui", WINDOW, (Answer.WAIT, None), id="refused-long-ago"),
    ],
)
def test_c299_what_becomes_of_a_request(found, ui_session, at, expected):
    """What its person decided, once; until then it waits for the same page."""
    assert answer(found, REQUEST, ui_session, NOW + at) == expected


def test_a_question_is_the_same_for_five_minutes():
    """So that requests that come at once make one page of it."""
    begin = NOW - NOW % (WINDOW // 2)
    questions = [REQUEST.question(begin + at) for at in (0, 1, WINDOW // 2 - 1)]

    assert len(set(questions)) == 1
    assert REQUEST.question(begin + WINDOW // 2) not in questions
    for name in ("user_id", "session_id", "device_id", "method", "path", "body"):
        assert attrs.evolve(REQUEST, **{name: "x"}).question(begin) not in questions


def test_details_are_sealed_and_come_back():
    """Whoever reads the database learns no address."""
    details = Details(devices=("A", "B"), medium="email", address="alice@example.com", erase=True)
    sealed = details.sealed(KEYS)

    assert Details.unsealed(KEYS, sealed) == details
    assert "alice" not in sealed
    assert Details.unsealed(Keyring.of(b"another secret that is long enough"), sealed) is None
    assert Details.unsealed(KEYS, None) == Details()


def test_the_body_is_not_kept():
    """Of a request there is a digest in the row, and what its page describes."""
    assert json.dumps(attrs.asdict(asked())).count("digest") == 1
    assert approvals.MOST_DEVICES == 1000
