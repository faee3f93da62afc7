"""Pushers as clients set them."""


def set_pusher(server, access_token, pushkey="key", *, host="push.example.com"):
    """Let the device of a token be told of events by a gateway that nobody runs."""
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
    answer = server.api("POST", "/_matrix/client/v3/pushers/set", access_token, json=body)
    assert answer.status_code == 200, answer.text


def pushkeys(homeserver, user):
    """Return the push keys of an account."""
    found = homeserver.query("SELECT pushkey FROM pushers WHERE user_name = ?", user.user_id)
    return sorted(key for (key,) in found)
