"""From which page of ours a browser comes, where it says so: never a way to anywhere else."""

import re

_LONGEST = 2000
# A path below the issuer, as pages have it, and what its query says.
_PAGE = re.compile(r"[a-z0-9][a-z0-9/-]*(\?[!-~]*)?")


def page_of_ours(url: str, *, below: str = "") -> str | None:
    """Return a page, relative to the issuer, out of its URL `below` that; `None` for anything else."""
    if not url.startswith(below) or len(url) > _LONGEST:
        return None
    page = url.removeprefix(below)
    return page if _PAGE.fullmatch(page) and "//" not in page.partition("?")[0] else None
