"""A brand of somebody's, with everything that can be set, and its pages."""

import re
import struct
import zlib
from base64 import b64encode

from support.pages import BASE
from synapse_nextgen_auth import config
from synapse_nextgen_auth.web.brand import brand
from synapse_nextgen_auth.web.templates import Templates


def chunk(kind, body=b""):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width=32, height=32, *between, shade=b"\x7a\x3e\x9d"):
    """Return a PNG file of one colour; `between` are more parts of it."""
    rows = zlib.compress((b"\0" + shade * width) * height)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"".join((b"\x89PNG\r\n\x1a\n", head, *between, chunk(b"IDAT", rows), chunk(b"IEND")))


LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 28"><rect width="160" height="28"'
    ' rx="6" fill="{}"/><path d="M12 20V8l8 8 8-8v12M44 8h16M52 8v12M74 8v12h14" fill="none"'
    ' stroke="#fff" stroke-width="3"/></svg>'
)
OPTIONS = {
    "name": {"en": "Example <Chat>", "de": "Beispiel-Chat"},
    "accent": "#f5c400",
    "links": {
        "imprint": "https://example.com/imprint?a=1&b=2",
        "privacy": {"en": "https://example.com/privacy", "de": "https://example.com/datenschutz"},
        "terms": "https://example.com/terms",
        "support": "mailto:support@example.com",
        "status": "https://status.example.com/",
    },
    "welcome": {
        page: {
            "en": "Hello <b>you</b>, & welcome.\nA second line.\n\nMore at https://example.com/help.",
            "de": "Hallo.",
        }
        for page in ("home", "sign_in", "sign_up", "recovery", "consent", "device", "account")
    },
}


def options(directory, **more):
    """Return the options of a complete brand, with its files in a directory."""
    for name, colour in (("logo", "#7a3e9d"), ("logo-dark", "#c9a0e6")):
        (directory / f"{name}.svg").write_text(LOGO.format(colour))
    files = {
        "logo": str(directory / "logo.svg"),
        "logo_dark": str(directory / "logo-dark.svg"),
    }
    return {**OPTIONS, **files, **more}


def read(**written):
    """Return the brand of some options."""
    return brand.read(config.read({"branding": written}).branding)


def templates(**written):
    """Return the pages of a brand that can be used."""
    found = read(**written)

    assert found.problems == []
    return Templates(BASE, brand=found.brand)


_STATIC = re.compile(rf'"{BASE}/static/([0-9a-f]+/[\w.]+)"')
_SHEET = re.compile(rf'<link rel="stylesheet" href="{BASE}/static/([^"]+)">')
_SCRIPT = re.compile(r"<script[^>]*></script>")


def whole(pages, html):
    """Return a page with its style sheet and pictures inside, for a browser without a server."""

    def inside(found):
        file = pages.static_file(found[1])
        return f'"data:{file.content_type};base64,{b64encode(file.content).decode()}"'

    html = _SHEET.sub(
        lambda found: f"<style>{pages.static_file(found[1]).content.decode()}</style>", html
    )
    return _STATIC.sub(inside, _SCRIPT.sub("", html))
