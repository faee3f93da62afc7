"""How long it is known what happened, and from where."""

from support.oauth import Server
from support.waiting import eventually


def test_addresses_go_before_their_events_do(start_homeserver):
    """After a week and a month, by the options; the housekeeping begins with the process."""
    homeserver = start_homeserver(
        module={"events": {"lifetime": "30d", "address_lifetime": "7d"}},
    )
    server, user = Server(homeserver.base_url), homeserver.new_user()
    tokens = server.client().sign_in(user.localpart, user.password)
    kinds = "SELECT kind, address IS NOT NULL FROM nextgen_events WHERE user_id = ? ORDER BY kind"
    before = homeserver.query(kinds, user.user_id)
    homeserver.stop()
    age = "UPDATE nextgen_events SET happened_at = happened_at - ? WHERE kind = ?"
    for days, kind in ((31, "signed_in"), (8, "consented"), (6, "session_begun")):
        homeserver.query(age, days * 86400, kind)
    homeserver.query("UPDATE nextgen_sessions SET rotated_at = rotated_at - ?", 8 * 86400)

    homeserver.start()

    left = [("consented", 0), ("session_begun", 1)]
    assert before == [("consented", 1), ("session_begun", 1), ("signed_in", 1)]
    assert eventually(lambda: homeserver.query(kinds, user.user_id) == left)
    assert eventually(
        lambda: homeserver.query("SELECT address FROM nextgen_sessions") == [(None,)], patience=60
    )
    renewed = server.client().refresh(tokens["refresh_token"])
    assert renewed.status_code == 200
