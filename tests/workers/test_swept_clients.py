"""A client that the sweep deletes is forgotten at once by every process."""

import secrets
import time

from support.oauth import web_client
from support.waiting import eventually


def test_c169_every_process_forgets_a_client_that_the_sweep_deletes(deployment):
    """The worker had it in memory, for refreshes; the main process sweeps when it starts."""
    user = deployment.new_user()
    client = deployment.server().client(web_client(client_name=f"App {secrets.token_hex(4)}"))
    tokens = client.sign_in(user.localpart, user.password)
    at_worker = deployment.at("worker1", client)
    renewed = at_worker.refresh(tokens["refresh_token"])
    client.server.revoke(token=renewed.json()["refresh_token"])
    remembered = at_worker.refresh(renewed.json()["refresh_token"])

    long_ago = int(time.time()) - 31 * 86400
    for table, column in (
        ("nextgen_clients", "last_used_at"),
        ("nextgen_sessions", "ended_at"),
        ("nextgen_grants", "expires_at"),
    ):
        deployment.query(
            f"UPDATE {table} SET {column} = ? WHERE client_id = ?", long_ago, client.id
        )
    deployment.main.stop()
    deployment.main.start()

    def is_gone():
        return not deployment.query("SELECT 1 FROM nextgen_clients WHERE client_id = ?", client.id)

    assert eventually(is_gone)
    assert eventually(lambda: at_worker.refresh(tokens["refresh_token"]).status_code == 401)
    forgotten = at_worker.refresh(tokens["refresh_token"])

    assert renewed.status_code == 200
    assert (remembered.status_code, remembered.json()["error"]) == (400, "invalid_grant")
    assert (forgotten.status_code, forgotten.json()["error"]) == (401, "invalid_client")
