"""The connections of our own that refreshes and polls of many at once go by, as PostgreSQL sees them."""

from support.crowd import settle
from support.sabotage import STATEMENT, TOGETHER, Plan, Point
from support.waiting import eventually

NAME = "synapse_nextgen_auth refreshes"
POLLS = "synapse_nextgen_auth polls"


def backends(homeserver, name=NAME):
    """Return the ids of PostgreSQL's processes for such connections to this homeserver's database."""
    return [
        pid
        for (pid,) in homeserver.query(
            "SELECT pid FROM pg_stat_activity WHERE application_name = ?"
            " AND datname = current_database() ORDER BY pid",
            name,
        )
    ]


def wait_for(homeserver):
    """Wait until a homeserver of one process has its connection; return PostgreSQL's process."""
    (found,) = eventually(lambda: backends(homeserver)) or [None]
    assert found is not None, "no connection of our own"
    return found


def cut(homeserver, name=NAME):
    """Let PostgreSQL end every such connection; return how many there were."""
    return len(
        homeserver.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ?"
            " AND datname = current_database()",
            name,
        )
    )


def go_together(deployment, at, client, user_id=None):
    """Refresh at a process until refreshes go by its connection; the plan of its saboteur is gone.

    `user_id` spares Synapse a new account, where it has broken connections.
    """
    (member,) = settle(deployment, client.id, [user_id or deployment.new_user().user_id])
    here, sabotage = deployment.at(at, client), deployment.sabotage(at)
    sabotage.plan(Plan("/token"))
    held = [member.refresh_token]

    def refresh():
        answer = here.refresh(held[-1])
        assert answer.status_code in {200, 503}, answer.text
        held.append(answer.json().get("refresh_token", held[-1]))
        return Point(STATEMENT, TOGETHER, 1) in sabotage.seen()

    assert eventually(refresh), "no refresh went by the connection"
    sabotage.plan(None)
