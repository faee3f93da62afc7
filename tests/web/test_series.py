"""The series that are there from the start, beside the rules that they are of."""

from synapse_nextgen_auth.accounts.attempts.arrivals import Trouble
from synapse_nextgen_auth.accounts.people import Standing
from synapse_nextgen_auth.oauth.grants import authorization_request
from synapse_nextgen_auth.store import sweep, unused_clients
from synapse_nextgen_auth.web import routes, series
from synapse_nextgen_auth.web.pages.device.page import LinkError
from synapse_nextgen_auth.web.pages.factor.page import FactorRefused
from synapse_nextgen_auth.web.pages.mailbox.page import CodeRefused
from synapse_nextgen_auth.web.pages.providers.page import counted
from synapse_nextgen_auth.web.pages.sign_in.page import SignInError
from synapse_nextgen_auth.web.pages.stage.page import REFUSED


def test_every_end_of_a_sign_in_has_a_series():
    ends = {
        "ok",
        REFUSED,
        *(each.value for each in (*SignInError, *Standing, *CodeRefused, *FactorRefused)),
        *map(counted, Trouble),
    }

    assert set(series.SIGN_INS) == ends


def test_all_that_is_swept_has_a_series():
    assert (*sweep.KINDS, sweep.IDLE_BROWSERS, unused_clients.UNUSED_CLIENTS) == series.SWEPT


def test_every_reason_to_refuse_an_authorization_request_is_known():
    assert routes.ROUTES["/authorize"].reasons >= authorization_request.REFUSES


def test_every_guess_at_a_code_is_counted():
    """But for a slip of the keyboard."""
    counted_links = {LinkError.UNKNOWN.value, LinkError.TOO_MANY_TRIES.value}

    assert routes.ROUTES["/link"].refuses == counted_links
