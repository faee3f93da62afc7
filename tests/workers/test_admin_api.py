"""The admin API on several processes: each tells, and the main one changes."""

import pytest

from support.admin_api import AdminApi, scope
from support.deployment import PROCESSES
from support.waiting import eventually


@pytest.fixture
def token(deployment):
    admin = deployment.new_user(admin=True)
    client = deployment.server().client()
    return client.sign_in(admin.localpart, admin.password, scope=scope())["access_token"]


def apis(deployment, token):
    return {name: AdminApi.of(deployment.server(name), token) for name in PROCESSES}


def test_each_process_calls_an_account_the_same_and_the_main_one_changes_it(deployment, token):
    """Another one says where to send that; what was changed is seen everywhere."""
    user = deployment.new_user()
    api = apis(deployment, token)
    at = f"users/by-username/{user.localpart}"
    ids = {each.get(at)["data"]["id"] for each in api.values()}
    assert len(ids) == 1
    (user_id,) = ids
    for name in set(PROCESSES) - {"main"}:
        said = api[name].refused("POST", f"users/{user_id}/lock", 501)
        assert "main process" in said
    api["main"].do("POST", f"users/{user_id}/lock")

    for each in api.values():
        assert eventually(
            lambda each=each: each.get(at)["data"]["attributes"]["locked_at"] is not None,
            patience=5,
        )
