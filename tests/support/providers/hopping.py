"""Somebody on the way to a provider and back, whom a proxy sends to another process at every step."""

import re
from urllib.parse import urlsplit

from support.providers.person import Person

CALLBACKS = re.compile(r"/_synapse/client/(oidc|saml2)/|/login/(cas|sso)/")


def ports_of(homeserver):
    return [homeserver.main.port, *(each.port for each in homeserver.workers.values())]


class Hopping(Person):
    """Somebody whose proxy sends each request to the next of several processes, or to `ports`."""

    def __init__(self, name, homeserver, *, pinned=False, ports=None):
        super().__init__(name)
        self._own, self._ports = homeserver.main.port, ports or ports_of(homeserver)
        self._pinned, self._served = pinned, 0
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
