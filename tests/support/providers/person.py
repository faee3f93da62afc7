"""A person in a browser without JavaScript, who goes wherever pages send her, providers included."""

import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from support.oauth import BehindTls
from support.providers.servers import PASSWORD


class _Forms(HTMLParser):
    """The forms of a page: where each goes, and what stands in its fields."""

    def __init__(self, text):
        super().__init__()
        self.forms = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag == "form":
            method = (found.get("method") or "get").lower()
            self.forms.append({"action": found.get("action") or "", "method": method, "fields": {}})
        elif tag == "input" and self.forms and found.get("name"):
            kind = found.get("type")
            if kind not in {"checkbox", "radio"} or "checked" in found:
                self.forms[-1]["fields"][found["name"]] = found.get("value") or ""


# Pages that only want to go on: consent, an answer by POST, the end of the former sign-in there.
_GOES_ON = ('value="consent"', "SAMLResponse", "Submitting Callback")


class Person:
    """Somebody with cookies; `page` is what she looks at."""

    def __init__(self, name):
        self.name = name
        self.http = BehindTls()
        self.page = None
        self.visited = []

    def get(self, url, *, until=None):
        """Open an address and follow redirects; stop before one that begins with `until`."""
        return self._follow(self.http.get(url, allow_redirects=False, timeout=60), until)

    def submit(self, *, until=None, which=0, **fields):
        """Send a form of the page, with these fields changed."""
        form = _Forms(self.page.text).forms[which]
        data = form["fields"] | fields
        url = urljoin(self.page.url, unescape(form["action"]))
        send = {"data": data} if form["method"] == "post" else {"params": data}
        # As browsers do, and Django asks for it.
        headers = {"Referer": self.page.url} if "cas_csrf" in self.http.cookies else {}
        answer = self.http.request(
            form["method"], url, allow_redirects=False, timeout=60, headers=headers, **send
        )
        return self._follow(answer, until)

    def pass_provider(self, *, until=None):
        """Do what the provider's pages ask, until there is a page of somebody else."""
        for _ in range(6):
            text = self.page.text
            if self.page.status_code in {303, 302}:
                return self.page
            if 'name="login"' in text:
                self.submit(until=until, login=self.name, password=PASSWORD)
            elif 'name="username"' in text and 'name="lt"' in text:
                self.submit(until=until, username=self.name, password=PASSWORD)
            elif any(mark in text for mark in _GOES_ON):
                self.submit(until=until)
            else:
                return self.page
        raise AssertionError(f"the provider keeps asking: {self.page.text[:2000]}")

    def _follow(self, answer, until):
        for _ in range(20):
            self.visited.append(answer.url)
            location = answer.headers.get("Location")
            if location is None or (until and location.startswith(until)):
                break
            url = urljoin(answer.url, location)
            if urlsplit(url).hostname != "localhost":
                break
            answer = self.http.get(url, allow_redirects=False, timeout=60)
        else:
            raise AssertionError(f"redirects without an end: {self.visited[-5:]}")
        self.page = answer
        return answer


def links(page):
    """Return where the links of a page lead."""
    return [unescape(found) for found in re.findall(r'href="([^"]+)"', page.text)]
