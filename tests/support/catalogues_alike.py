"""Messages that are written in a language as they are in English, each looked at by somebody."""

SAME: dict[str, set[str]] = {
    "de": {"Code", "Passkeys", "Server:"},
    "es": {"Error: %(title)s"},
    "fr": {"Application", "Applications", "Code", "Invitations"},
}
