"""A rough idea of a device from its user agent; it is what the device says of itself.

What that is called in words is in `templates/components/user_agent.html`.
"""

import re
from enum import Enum

from synapse_nextgen_auth.records import frozen


class System(Enum):
    """What a program runs on."""

    IPHONE = "iphone"
    IPAD = "ipad"
    ANDROID = "android"
    CHROMEOS = "chromeos"
    WINDOWS = "windows"
    MAC = "mac"
    APPLE = "apple"
    LINUX = "linux"


@frozen
class Program:
    """A program as it describes itself; a browser may be one that we do not know by name."""

    program: str | None
    system: System | None
    is_browser: bool = False


_SYSTEMS = (
    ("iPhone", System.IPHONE),
    ("iPad", System.IPAD),
    ("Android", System.ANDROID),
    ("CrOS", System.CHROMEOS),
    ("Windows", System.WINDOWS),
    ("Macintosh", System.MAC),
    ("Mac OS", System.MAC),
    ("Darwin", System.APPLE),
    ("Linux", System.LINUX),
)
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_PRODUCT = re.compile(r"([A-Za-z][A-Za-z0-9 ._-]{0,40}?)(?:/[0-9]| \(|$)")


def describe(user_agent: str | None) -> Program | None:
    """Return something like Firefox on Linux, `None` for nothing worth showing."""
    text = "".join(c for c in user_agent or "" if c.isprintable())[:255]
    system = next((kind for sign, kind in _SYSTEMS if sign in text), None)
    found = Program(_name(text), system, is_browser=text.startswith("Mozilla/"))
    return found if found.program or found.system or found.is_browser else None


def _name(text: str) -> str | None:
    if text.startswith("Mozilla/"):
        return next((name for sign, name in _BROWSERS if sign in text), None)
    match = _PRODUCT.match(text)
    return match[1].strip() if match else None
