"""Names that a stranger chose, in what a server says in its own name: one line that leads nowhere."""

import re
import unicodedata

MOST = 64  # letters: longer than any name, shorter than a story
_DOTS = ".\u3002\uff0e\uff61"  # what IDNA reads as one (RFC 3490 section 3.1)
# Programs that show text make links of hosts, of addresses and of the ids of Matrix; none goes over a
# space, and this one has no width.
_APART = "\u200b"
_OF_A_HOST = re.compile(rf"(?<=\S)[{_DOTS}](?=[^\W\d_])")
_OF_A_SCHEME = re.compile(r":(?=[^\s\d])")
_OF_AN_ID = re.compile(r"[@#!$+][^\s:]*:(?=[\d\[])")


def plain(name: str) -> str:
    """Return the name as one line of at most `MOST` letters, in which nothing is made a link."""
    seen = "".join(" " if unicodedata.category(each)[0] == "C" else each for each in name)
    text = " ".join(seen.split())
    text = text if len(text) <= MOST else f"{text[: MOST - 1].rstrip()}…"
    for pattern in (_OF_A_HOST, _OF_A_SCHEME, _OF_AN_ID):
        text = pattern.sub(rf"\g<0>{_APART}", text)
    return text


def of_device(device_id: str, name: str | None) -> str:
    """Return what a device is called: by its name, which anybody with its token changes, and its id."""
    return f"{plain(name)} ({plain(device_id)})" if name else plain(device_id)
