"""`templates preview`: every page and mail, in every state and language, for a browser nearby."""

import sys
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import attrs

from synapse_nextgen_auth.accounts.mail.letters import Letter
from synapse_nextgen_auth.cli import loopback
from synapse_nextgen_auth.cli.templates import kit, listed, preview_index, samples
from synapse_nextgen_auth.cli.templates.operators import Operators
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.own_templates import faults, missing
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.templates import Templates

_HOST = "127.0.0.1"
_HTML = "text/html; charset=utf-8"
# What a page asks its server for that is of nobody here.
_PICTURES = frozenset({"account-avatar", "icon", "provider-icon"})
_PICTURE = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96"><rect width="96" height="96"'
    b' fill="#7a8699"/><circle cx="48" cy="38" r="16" fill="#fff"/><path d="M16 96a32 32 0 0 1 64 0"'
    b' fill="#fff"/></svg>'
)
_OF_KEEPING = ("Cache-Control", "Pragma")  # what is written just now shows with the next reload
_NOTHING = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'none'"


@frozen
class Answer:
    """What a request gets."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (
        ("Content-Type", _HTML),
        ("Content-Security-Policy", _NOTHING),
    )


def run(whose: Operators, *, port: int) -> int:
    """Serve until somebody stops it."""
    reason = loopback.why_not(_HOST, port)
    if reason is not None:
        print(f"* {reason}", file=sys.stderr)
        return 1
    with server(whose, port) as serving:
        print(
            f"http://{_HOST}:{serving.server_port}/ shows every page. Ctrl-C ends it.", flush=True
        )
        try:
            serving.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


@attrs.define
class _Shown:
    """The operator's templates as they are: read anew once one of their files is another."""

    whose: Operators
    _read: tuple[object, Templates] | None = None

    @property
    def pages(self) -> Templates:
        """What makes pages of them."""
        directory, read = self.whose.directory, self._read
        files = [] if directory is None else sorted(directory.rglob("*"))
        present = [
            (path, each.st_mtime_ns, each.st_size) for path in files if (each := path.lstat())
        ]
        if read is None or read[0] != present:
            read = self._read = (present, self.whose.templates("/"))
            read[1].reader().undefined = missing.Worded
        return read[1]


def server(whose: Operators, port: int) -> ThreadingHTTPServer:
    """Return a server that shows these templates; nobody but this machine reaches it."""
    shown = _Shown(whose)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(_answer(shown, self.path) if self._is_here() else Answer(421, b"Not here"))

        def do_POST(self) -> None:
            if self.headers.get("Sec-Fetch-Mode") == "navigate" and not self._is_pressed():
                self._send(Answer(204, b""))  # a script sent it: the page stays to be looked at
                return
            words = "This is a preview: what a form sends goes nowhere. Go back to look on."
            self._send(_said(405, "Nothing was sent", words))

        def log_message(self, *_arguments: object) -> None:
            """Say nothing: whoever looks sees what they get."""

        def _is_pressed(self) -> bool:
            return self.headers.get("Sec-Fetch-User") == "?1"

        def _is_here(self) -> bool:
            # Another site could lead its own name here, and read what is shown.
            name = self.headers.get("Host", "").rpartition(":")[0]
            return name in {_HOST, "localhost"}

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

    return ThreadingHTTPServer((_HOST, port), Handler)


def _answer(shown: _Shown, target: str) -> Answer:
    """Return what is at an address; the files are read anew."""
    url = urlsplit(target)
    kind, _, rest = unquote(url.path).lstrip("/").partition("/")
    asked = {name: values[0] for name, values in parse_qs(url.query).items()}
    try:
        if kind == "static":
            return _static(shown, rest)
        if url.path.rpartition("/")[2] in _PICTURES:
            sent = answers.static(_PICTURE, "image/svg+xml", is_foreign=True)
            return Answer(200, _PICTURE, _as_sent(sent))
        if url.path == "/kit":
            return Answer(200, kit.html(shown.pages, shown.whose.server_name).encode())
        if kind == "pages":
            return _page(shown, rest, asked.get("lang", "en"))
        if kind == "emails":
            return _mail(shown, rest, asked.get("lang", "en"), is_text=asked.get("as") == "text")
        if kind in {"", "language"}:  # where the foot of a page leads
            return _index(shown, asked.get("lang", "en"))
    except Exception as error:  # noqa: BLE001 (a template fails in whatever way, and whoever writes it wants to know)
        own = [each for each in (shown.whose.directory,) if each]
        place = missing.place_of(error, own)
        where = f"{place[0]}: line {place[1]}: " if place else ""
        said = f"{where}{missing.words_of(error)}\n\n{traceback.format_exc(limit=-4)}"
        return _failed(said)
    words = "The preview has the pages themselves, and nothing behind them."
    return _said(404, "There is nothing here", words)


def _index(shown: _Shown, lang: str) -> Answer:
    templates = shown.pages
    wrong = faults.problems(shown.whose.config) if shown.whose.directory is not None else []
    sheets = [templates.static_url("style.css")]
    html = preview_index.html(
        sheets=sheets,
        languages=templates.languages.tags,
        lang=_known(lang, templates.languages.tags),
        pages={name: tuple(states) for name, states in samples.pages().items()},
        mails={name: len(each) for name, each in samples.mails().items()},
        wrong=wrong,
        own=_own(shown.whose),
    )
    return Answer(200, html.encode())


def _own(whose: Operators) -> frozenset[str]:
    return frozenset(each.name for each in listed.lines(whose) if each.own is not None)


def _page(shown: _Shown, rest: str, lang: str) -> Answer:
    """Show a page as its reader gets it, with the same policy for what it loads and runs."""
    name, _, state = rest.partition("/")
    page = samples.pages().get(f"pages/{name}.html", {}).get(state)
    if page is None:
        return _said(404, "There is no such page", f"No page {name} has a state “{state}”.")
    templates = shown.pages
    page = _at(page, shown.whose.server_name)
    html = templates.render_own(page, lang=_known(lang, templates.languages.tags))
    sent = answers.page(200, html, loads=page.loads)
    # What would lead away by itself would show another page than the one that was asked for.
    html = preview_index.staying(html)
    return Answer(200, html.encode(), _as_sent(sent))


def _as_sent(sent: Outgoing) -> tuple[tuple[str, str], ...]:
    """Return what the server sends with it, so that what works here works there; nothing is kept."""
    return tuple(each for each in sent.headers if each[0] not in _OF_KEEPING)


def _at(page: PageContent, server_name: str | None) -> PageContent:
    """Return a page as it is on the operator's own server."""
    changed: dict[str, Any] = {"server_name": server_name} if server_name else {}
    return attrs.evolve(page, **changed)


def _mail(shown: _Shown, rest: str, lang: str, *, is_text: bool) -> Answer:
    name, _, number = rest.partition("/")
    found = samples.mails().get(f"emails/{name}.html", [])
    if not number.isdecimal() or int(number) >= len(found):
        return _said(404, "There is no such mail", f"No mail is called {name}.")
    pages = shown.pages
    tag = _known(lang, pages.languages.tags)
    written = shown.whose.mails(pages).write(Letter("anna@example.com", tag, found[int(number)]))
    if is_text:
        text = f"Subject: {written.subject}\n\n{written.text}"
        return Answer(200, text.encode(), (("Content-Type", "text/plain; charset=utf-8"),))
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    headers = (("Content-Type", _HTML), ("Content-Security-Policy", policy))
    return Answer(200, written.html.encode(), headers)


def _static(shown: _Shown, key: str) -> Answer:
    file = shown.pages.static_file(key)
    if file is None:
        return _said(404, "There is no such file", "It may have changed: reload the page.")
    sent = answers.static(file.content, file.content_type, is_foreign=file.is_foreign)
    return Answer(200, file.content, _as_sent(sent))


def _known(lang: str, tags: tuple[str, ...]) -> str:
    return lang if lang in tags else "en"


def _failed(words: str) -> Answer:
    return Answer(
        500, preview_index.message("This page cannot be made", words, is_code=True).encode()
    )


def _said(status: int, title: str, words: str) -> Answer:
    return Answer(status, preview_index.message(title, words).encode())
