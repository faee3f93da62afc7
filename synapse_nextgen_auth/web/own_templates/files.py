"""Static files of the operator's: pictures, style sheets and scripts in `static/` of their directory."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from synapse_nextgen_auth.web.templates import StaticFile, key_of

STATIC = "static"
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".ico": "image/vnd.microsoft.icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# What a style sheet loads: the address, with or without quotes.
LOADED = re.compile(r"""url\(\s*(["']?)([^"')]+)\1\s*\)""")


def read(own: Path, base: str) -> dict[str, StaticFile]:
    """Return those that can be served, by their names; `base` is where static files are.

    A style sheet may name the pictures beside it: it gets their addresses, which change with them.
    """
    found = {path.name: (path.read_bytes(), KINDS[path.suffix]) for path in _served(own)}
    urls = {
        name: base + key_of(content, name)
        for name, (content, _) in found.items()
        if not name.endswith(".css")
    }
    return {
        name: StaticFile(
            _with_urls(content, urls) if name.endswith(".css") else content,
            kind,
            is_foreign=name.endswith(".svg"),
        )
        for name, (content, kind) in found.items()
    }


def _served(own: Path) -> Iterator[Path]:
    folder = own / STATIC
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_file() and path.suffix in KINDS and NAME.fullmatch(path.name):
            yield path


def _with_urls(sheet: bytes, urls: Mapping[str, str]) -> bytes:
    text = sheet.decode("utf-8", "surrogateescape")
    text = LOADED.sub(lambda each: f'url("{urls[each[2]]}")' if each[2] in urls else each[0], text)
    return text.encode("utf-8", "surrogateescape")
