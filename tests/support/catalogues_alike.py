"""Messages that are written in a language as they are in English, each looked at by somebody."""

SAME: dict[str, set[str]] = {
    "cs": {"Server:"},
    "da": {"Download", "Server:", "Status", "Support"},
    "de": {"Code", "Passkeys", "Server:"},
    "et": {"Server:"},
    "es": {"Error: %(title)s"},
    "fr": {"Application", "Applications", "Code", "Invitations"},
    "id": {"Server:", "Status"},
    "it": {"Password", "Privacy", "Server:"},
    "nb": {"Server:", "Status"},
    "nl": {
        "%(num)s browsers",
        "%(num)s websites",
        "Code",
        "Later",
        "Parameters",
        "Passkeys",
        "Privacy",
        "Server:",
        "Status",
    },
    "pt-BR": {"Status"},
    "ro": {"Server:"},
    "sv": {"Server:", "Status", "Support"},
}
