"""What processes of two releases tell each other has the names it always had."""

from synapse_nextgen_auth.homeserver.database import news


def test_c362_no_name_that_travels_ever_changes():
    """A worker of the release before would not hear that a session was revoked."""
    assert {
        name: value
        for name, value in vars(news).items()
        if isinstance(value, str) and name.isupper()
    } == {
        "SESSION_CHANGED": "synapse_nextgen_auth.homeserver.live.nextgen_session",
        "OUTBOX": "synapse_nextgen_auth.homeserver.outbox.nextgen_outbox",
        "CLIENT_GONE": "synapse_nextgen_auth.homeserver.known_clients.nextgen_client",
        "SERVICE_REVOKED": (
            "synapse_nextgen_auth.homeserver.auth.application_services.nextgen_revoked"
        ),
        "SESSION_BEGUN": ("synapse_nextgen_auth.homeserver.login_callbacks.nextgen_session_begun"),
    }
