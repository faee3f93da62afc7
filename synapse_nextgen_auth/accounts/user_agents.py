"""A rough idea of a device from its user agent, in words; it is what the device says of itself."""

import re

_SYSTEMS = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "a Mac"),
    ("Mac OS", "a Mac"),
    ("Darwin", "an Apple device"),
    ("Linux", "Linux"),
)
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_PRODUCT = re.compile(r"([A-Za-z][A-Za-z0-9 ._-]{0,40}?)(?:/[0-9]| \(|$)")


def describe(user_agent: str | None) -> str | None:
    """Return something like "Firefox on Linux", `None` for nothing worth showing."""
    text = "".join(c for c in user_agent or "" if c.isprintable())[:255]
    if not text:
        return None
    system = next((words for sign, words in _SYSTEMS if sign in text), None)
    program = _program(text)
    if program and system:
        return f"{program} on {system}"
    return program or system


def _program(text: str) -> str | None:
    if text.startswith("Mozilla/"):
        return next((name for sign, name in _BROWSERS if sign in text), "A browser")
    match = _PRODUCT.match(text)
    return match[1].strip() if match else None
