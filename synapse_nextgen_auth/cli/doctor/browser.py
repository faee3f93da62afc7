"""A browser without a person: it keeps cookies, follows redirects on the server, and fills in forms."""

from collections.abc import Mapping
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

import attrs

from synapse_nextgen_auth.cli.doctor.asking import Answer
from synapse_nextgen_auth.cli.doctor.patient import Patient
from synapse_nextgen_auth.records import frozen

_MOST = 10  # redirects


@frozen
class Form:
    """The first form of a page: where it goes, what it carries, and what it asks for."""

    action: str
    hidden: Mapping[str, str] = attrs.field(repr=False)
    asks: frozenset[str]


class Browser:
    """One browser at one server."""

    def __init__(self, patient: Patient) -> None:
        self._patient = patient
        self._cookies: dict[str, str] = {}
        self.url = patient.endpoints.issuer

    def get(self, url: str) -> Answer:
        """Open an address."""
        return self._follow("GET", url, None)

    def submit(self, form: Form, **fields: str) -> Answer:
        """Send a form."""
        return self._follow("POST", urljoin(self.url, form.action), {**form.hidden, **fields})

    def _follow(self, method: str, url: str, fields: Mapping[str, str] | None) -> Answer:
        for _ in range(_MOST):
            headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self._cookies.items())}
            body = None
            if fields is not None:
                headers |= {
                    "Content-Type": "application/x-www-form-urlencoded",
                    "Origin": "://".join(urlsplit(url)[:2]),
                }
                body = urlencode(fields).encode()
            answer = self._patient.ask(url, method=method, headers=headers, body=body)
            self.url = url
            self._keep(answer)
            location = answer.header("Location")
            if location is None:
                return answer
            url = urljoin(url, location)
            if not url.startswith(self._patient.endpoints.issuer):
                return answer
            method, fields = "GET", None
        return answer

    def _keep(self, answer: Answer) -> None:
        for text in answer.headers.get("set-cookie", ()):
            name, _, value = text.partition(";")[0].partition("=")
            if value.strip('"'):
                self._cookies[name.strip()] = value
            else:
                self._cookies.pop(name.strip(), None)


def form_of(page: str) -> Form | None:
    """Return the first form of a page."""
    reader = _Reader()
    reader.feed(page)
    if reader.action is None:
        return None
    return Form(reader.action, reader.hidden, frozenset(reader.asks))


class _Reader(HTMLParser):
    """Reads the first form that is posted."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.hidden: dict[str, str] = {}
        self.asks: set[str] = set()
        self._is_within = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form" and self.action is None and told.get("method", "").lower() == "post":
            self.action, self._is_within = told.get("action", ""), True
        if not self._is_within or not told.get("name"):
            return
        if tag == "input" and told.get("type") == "hidden":
            self.hidden[told["name"]] = told.get("value", "")
        elif tag in {"input", "button", "select", "textarea"}:
            self.asks.add(told["name"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_within = False
