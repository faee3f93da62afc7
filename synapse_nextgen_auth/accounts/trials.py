"""The account that signs in to see whether that works, and is closed between two looks."""

LOCALPART = "nextgen-auth-doctor"
