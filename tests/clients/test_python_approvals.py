"""What is asked in the browser, with matrix-nio and mautrix as they are: devices, password, identity."""

import asyncio
import json

import pytest

from support.coroutines import finish
from support.keys import master_key
from support.oauth import Browser

pytestmark = pytest.mark.one_database

NEW = "a battery of other staples"


@pytest.fixture
def tokens(server, user):
    """Return the tokens of a Matrix client."""
    return server.client().sign_in(user.localpart, user.password)


@pytest.fixture
def approve(server, user):
    """Return what a person does whose client shows them the fallback page of a session."""

    def approve_(session):
        browser, stage = Browser(server), "m.login.sso"
        path = f"_matrix/client/v3/auth/{stage}/fallback/web?session={session}"
        browser.get(f"{server.base_url.rstrip('/')}/{path}")
        browser.sign_in(user.localpart, user.password)
        asked = browser.page.text
        browser.submit(decision="approve")
        return asked

    return approve_


def test_matrix_nio_deletes_devices_that_a_page_approved(homeserver, server, user, tokens, approve):
    """It knows such answers: which stages there are, and the session to come back with."""
    import nio  # noqa: PLC0415 (slow, and for this test only)

    doomed = [homeserver.login(user, initial_device_display_name=f"Doomed {n}") for n in range(2)]
    ids = [each["device_id"] for each in doomed]

    async def run():
        client = nio.AsyncClient(server.base_url.rstrip("/"), user.user_id)
        try:
            client.access_token = tokens["access_token"]
            who = await client.whoami()
            client.restore_login(who.user_id, who.device_id, tokens["access_token"])
            asked = await client.delete_devices(ids)
            early = await client.delete_devices(ids, {"session": asked.session})
            page = await asyncio.to_thread(approve, asked.session)
            done = await client.delete_devices(ids, {"session": asked.session})
            left = await client.devices()
        finally:
            await client.close()
        return asked, early, page, done, left

    asked, early, page, done, left = finish(run())

    assert isinstance(asked, nio.DeleteDevicesAuthResponse)
    assert asked.flows == [{"stages": ["m.login.sso"]}]
    assert isinstance(early, nio.DeleteDevicesAuthResponse)
    assert early.session == asked.session
    assert all(f"Doomed {n}" in page for n in range(2))
    assert isinstance(done, nio.DeleteDevicesResponse)
    assert [each.id for each in left.devices if each.id in ids] == []
    assert [server.whoami(each["access_token"]).status_code for each in doomed] == [401, 401]


@pytest.fixture
def mautrix(server, user, tokens):
    """Return a function that runs what a bot on mautrix does."""
    from mautrix.client import ClientAPI  # noqa: PLC0415 (slow, as above)

    def run(act):
        async def run_():
            token = tokens["access_token"]
            client = ClientAPI(user.user_id, base_url=server.base_url, token=token)
            try:
                return await act(client)
            finally:
                await client.api.session.close()

        return finish(run_())

    return run


async def challenged(request):
    """Return what a request is answered that waits for somebody."""
    from mautrix.errors import MatrixUnknownRequestError  # noqa: PLC0415 (slow, as above)

    with pytest.raises(MatrixUnknownRequestError) as raised:
        await request
    assert raised.value.http_status == 401
    return json.loads(raised.value.text)


def test_mautrix_sets_the_password_that_a_page_approved(server, user, tokens, mautrix, approve):
    """And no other one: its request is what was approved."""
    from mautrix.api import Method, Path  # noqa: PLC0415 (slow, as above)

    def change(client, new, **more):
        body = {"new_password": new, "logout_devices": False, **more}
        return client.api.request(Method.POST, Path.v3.account.password, body)

    async def act(client):
        asked = await challenged(change(client, NEW))
        page = await asyncio.to_thread(approve, asked["session"])
        auth = {"auth": {"session": asked["session"]}}
        other = await challenged(change(client, f"{NEW} of a thief", **auth))
        await change(client, NEW, **auth)
        return page, asked, other

    page, asked, other = mautrix(act)

    assert "password" in page
    assert other["session"] != asked["session"]
    assert server.whoami(tokens["access_token"]).status_code == 200
    again = Browser(server)
    again.get(server.url("sign-in"))
    assert again.sign_in(user.localpart, NEW).status_code == 200
    old = Browser(server)
    old.get(server.url("sign-in"))
    assert old.sign_in(user.localpart, user.password).status_code != 200


def test_mautrix_deletes_a_device_that_a_page_approved(homeserver, server, user, mautrix, approve):
    from mautrix.api import Method, Path  # noqa: PLC0415 (slow, as above)

    doomed = homeserver.login(user, initial_device_display_name="Doomed")

    def delete(client, **body):
        return client.api.request(Method.DELETE, Path.v3.devices[doomed["device_id"]], body)

    async def act(client):
        asked = await challenged(delete(client))
        page = await asyncio.to_thread(approve, asked["session"])
        await delete(client, auth={"session": asked["session"]})
        return page

    page = mautrix(act)

    assert "Doomed" in page
    assert server.whoami(doomed["access_token"]).status_code == 401


def test_mautrix_resets_the_identity_that_a_page_approved(user, visit, mautrix):
    """Its own call for that, as bots make it that set up their encryption anew."""
    from mautrix.types import CrossSigningKeys, CrossSigningUsage  # noqa: PLC0415 (as above)

    keys = [master_key(user.user_id)["master_key"] for _ in range(2)]
    first, wanted = (
        {CrossSigningUsage.MASTER: CrossSigningKeys.deserialize(each)} for each in keys
    )

    async def act(client):
        await client.upload_cross_signing_keys(first)
        asked = await challenged(client.upload_cross_signing_keys(wanted))
        await asyncio.to_thread(visit, asked["params"]["m.oauth"]["url"])
        auth = {"type": "m.oauth", "session": asked["session"]}
        await client.upload_cross_signing_keys(wanted, auth)
        return await client.query_keys([user.user_id])

    found = mautrix(act).master_keys[user.user_id].serialize()

    assert found["keys"] == keys[1]["keys"]
