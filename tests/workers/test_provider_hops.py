"""A sign-in through a provider is served by another process at every step but SAML's two ends."""

import re
from urllib.parse import urlsplit

import pytest

from support.databases import PostgresDatabase
from support.oauth import Server
from support.providers.journey import agree, begin, choose, whoami
from support.providers.person import Person
from support.synapse import Homeserver

CALLBACKS = re.compile(r"/_synapse/client/(oidc|saml2)/|/login/(cas|sso)/")


class Hopping(Person):
    """Somebody whose proxy sends each request to the next of several processes."""

    def __init__(self, name, homeserver, pinned):
        super().__init__(name)
        ports = [homeserver.main.port, *(each.port for each in homeserver.workers.values())]
        self._own, self._ports, self._pinned, self._served = ports[0], ports, pinned, 0
        self.at = []
        self.http.send = self._sending(self.http.send)

    def _sending(self, send):
        def hop(request, **options):
            parts = urlsplit(request.url)
            if parts.port == self._own:
                self._served += 1
                port = self._ports[self._served % len(self._ports)]
                if self._pinned and CALLBACKS.search(parts.path):
                    port = self._ports[1]
                self.at.append((parts.path, port))
                # The page that it asked for is the one that it believes to see.
                request.headers["Host"] = f"localhost:{self._own}"
                asked, request.url = (
                    request.url,
                    request.url.replace(f":{self._own}/", f":{port}/", 1),
                )
                answer = send(request, **options)
                answer.url = asked
                return answer
            return send(request, **options)

        return hop


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory, postgres_server, redis_server, make_providers):
    """Yield three processes that know a provider of each kind."""
    directory = tmp_path_factory.mktemp("provider-hops")
    database = PostgresDatabase.on(postgres_server)
    homeserver = Homeserver(directory, database, redis=redis_server)
    homeserver.config = make_providers(homeserver.base_url).config
    with homeserver:
        homeserver.add_worker("worker1")
        homeserver.add_worker("worker2")
        yield homeserver


@pytest.mark.parametrize("provider", ["oidc-works", "oidc-picks", "saml", "cas"])
def test_c355_a_sign_in_hops_between_processes(homeserver, provider):
    """What a provider's answer is for and from whom lies in the database, and in cookies."""
    server = Server(homeserver.base_url)
    person = Hopping(f"hop-{provider}", homeserver, pinned=provider == "saml")
    client, verifier = begin(server, person)
    person.get(choose(person, provider))
    person.pass_provider()
    if provider == "oidc-picks":
        person.submit(username=person.name, decision="create")
    tokens = agree(server, person, client, verifier)

    assert whoami(server, tokens) == f"@{person.name}:localhost"
    assert len({port for _, port in person.at}) == 3
