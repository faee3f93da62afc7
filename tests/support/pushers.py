"""Pushers as clients set them."""


def ask_for_pusher(server, access_token, pushkey="key", *, host="push.example.com", without=()):
    """Ask that the device of a token be told of events by a gateway that nobody runs; answer."""
    body = {
        "kind": "http",
        "app_id": "com.example.app",
        "app_display_name": "App",
        "device_display_name": "Device",
        "pushkey": pushkey,
        "lang": "en",
        "data": {"url": f"https://{host}/_matrix/push/v1/notify"},
        "append": True,
    }
    for name in without:
        del body[name]
    return server.api("POST", "/_matrix/client/v3/pushers/set", access_token, json=body)


def set_pusher(server, access_token, pushkey="key", *, host="push.example.com"):
    """Set a pusher for the device of a token."""
    answer = ask_for_pusher(server, access_token, pushkey, host=host)
    assert answer.status_code == 200, answer.text


def pushkeys(homeserver, user):
    """Return the push keys of an account."""
    found = homeserver.query("SELECT pushkey FROM pushers WHERE user_name = ?", user.user_id)
    return sorted(key for (key,) in found)
