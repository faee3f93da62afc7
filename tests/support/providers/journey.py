"""From an application to a provider and back, as a person goes."""

import re
from html import unescape
from urllib.parse import parse_qsl, urlencode, urlsplit

from support.providers.person import links


def begin(server, person, **changes):
    """Come to the sign-in page from an application; return the client and the verifier."""
    client = server.client()
    parameters, verifier = client.request(**changes)
    person.get(server.url("authorize") + "?" + urlencode(parameters))
    return client, verifier


def choose(person, provider):
    """Press the button of a provider, and follow the page behind it."""
    csrf = unescape(re.search(r'name="csrf" value="([^"]*)"', person.page.text)[1])
    person.page = person.http.post(
        person.page.url,
        data={"csrf": csrf, "decision": f"provider:{provider}"},
        allow_redirects=False,
        timeout=60,
    )
    return way(person.page)


def way(page):
    """Return where a page leads that goes on to a provider."""
    assert page.status_code == 200, page.text
    (url,) = [link for link in links(page) if "/login/sso/redirect/" in link]
    assert f'content="0; url={url}"' in unescape(page.text)
    return url


def go(person, url):
    """Go to the provider, do what it asks, and come back."""
    person.get(url)
    return person.pass_provider()


def agree(server, person, client, verifier):
    """Agree on the consent page; return the tokens."""
    assert "consent?grant=" in person.page.url, (person.page.url, person.page.text[:3000])
    person.submit(decision="approve")
    code = dict(parse_qsl(urlsplit(person.page.headers["Location"]).query))["code"]
    answer = client.redeem(code, verifier)
    assert answer.status_code == 200, answer.text
    return answer.json()


def whoami(server, tokens):
    return server.whoami(tokens["access_token"]).json()["user_id"]
