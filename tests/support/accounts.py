"""An account that Synapse does not find, as after a restored backup."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from support.oauth import Server
from support.synapse import Homeserver, User


@contextmanager
def no_account(homeserver: Homeserver, user: User) -> Iterator[None]:
    """Take the account's row away for a while, and what processes remember of it."""
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    path = f"/_synapse/admin/v1/users/{quote(user.user_id)}/shadow_ban"
    # Every process forgets the account when one column changes.
    assert Server(homeserver.base_url).api("DELETE", path, admin).ok
    rename = "UPDATE users SET name = ? WHERE name = ?"
    homeserver.query(rename, f"{user.user_id}-gone", user.user_id)
    try:
        yield
    finally:
        homeserver.query(rename, user.user_id, f"{user.user_id}-gone")
