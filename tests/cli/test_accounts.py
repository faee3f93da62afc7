"""The accounts of the demo: what is waited for, and that somebody hears of it."""

import pytest

from synapse_nextgen_auth.cli import accounts
from synapse_nextgen_auth.cli.accounts import AccountError, patiently


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    """Let no second pass."""
    monkeypatch.setattr(accounts.time, "sleep", lambda _: None)


def calls(*, failing, code="M_UNKNOWN"):
    """Return a call that works after so many that do not."""
    left = [AccountError(code, "no")] * failing

    def call():
        if left:
            raise left.pop()

    return call


@pytest.mark.parametrize(("failing", "said"), [(0, 0), (3, 0), (4, 1), (60, 1)])
def test_who_waits_hears_once_what_for(failing, said):
    """After a few seconds: most waits are shorter."""
    heard = []
    patiently(calls(failing=failing), lambda: heard.append("once"))

    assert len(heard) == said


def test_what_is_no_matter_of_time_is_not_waited_for():
    with pytest.raises(AccountError):
        patiently(calls(failing=1, code="M_FORBIDDEN"), pytest.fail)


def test_nobody_waits_for_ever():
    with pytest.raises(AccountError):
        patiently(calls(failing=1000), lambda: None)


@pytest.mark.parametrize(
    ("code", "fits"),
    [("M_FORBIDDEN", False), ("M_USER_DEACTIVATED", False), ("M_LIMIT_EXCEEDED", True)],
)
def test_who_signs_in_too_often_has_not_the_wrong_password(monkeypatch, code, fits):
    """It is not set again because of a limit."""

    def refuse(*_):
        raise AccountError(code, "no")

    monkeypatch.setattr(accounts, "_call", refuse)

    assert accounts.SharedSecret(1, "secret").fits("@alice:localhost", "its own") is fits
