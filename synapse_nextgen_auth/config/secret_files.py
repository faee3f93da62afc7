"""Files that hold a secret: read without white space around it, and named only where they are files."""

from pathlib import Path

from synapse_nextgen_auth.oauth.clients.fields import invalid

# What is longer may be a secret that begins with a slash: no file is called that in a place like `/`.
_LONGEST_NAME = 20


def content(name: str) -> str:
    """Return what a file says, without white space around it; raise `OAuthError` if it cannot."""
    try:
        return Path(name).read_text("utf-8").strip()
    except (OSError, ValueError) as error:  # not text, or no name of a file
        reason = getattr(error, "strerror", None) or "it is not text"
        if not is_path(name):
            raise invalid(
                f"cannot read the file of this name: {reason}; it is not repeated, in case it is the"
                " secret itself"
            ) from None
        raise invalid(f"cannot read {name}: {reason}") from None


def is_path(name: str) -> bool:
    """Say whether this is the path of a file and cannot be the secret that should be in it (C225)."""
    path = Path(name)
    try:
        return path.is_file() or (
            path.is_absolute() and (len(name) <= _LONGEST_NAME or Path(*path.parts[:2]).is_dir())
        )
    except (OSError, ValueError):
        return False
