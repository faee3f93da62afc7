"""What a refused request had is gone with its answer: nothing waits for the garbage collector.

Devices that wait are refused hundreds of times a second, and Synapse collects garbage once a second,
while everybody waits.
"""

import gc
import weakref
from types import SimpleNamespace

import pytest

from synapse_nextgen_auth.oauth.errors import OAuthError, invalid_grant
from synapse_nextgen_auth.web.endpoints.token import pipeline


class Held:
    """What the request has while it is answered."""


@pytest.fixture
def collects_nothing():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("collects_nothing")
@pytest.mark.parametrize("grant_type", ["authorization_code", "refresh_token", "unknown"])
def test_a_refused_token_request_is_gone_when_it_was_answered(monkeypatch, grant_type):
    refused, told = [], []

    async def refuse(*_):
        held = Held()
        refused.append(weakref.ref(held))
        raise invalid_grant("no such code")

    monkeypatch.setattr(pipeline, "_answer", refuse)
    body = f"grant_type={grant_type}&client_id=c".encode()
    incoming = SimpleNamespace(body=body, header=lambda _name: None)

    try:
        pipeline.token(None, incoming).send(None)
    except OAuthError as refusal:
        told.append(str(refusal))

    (held,) = refused
    assert told == ["invalid_grant: no such code; client c, session -"]
    assert held() is None
