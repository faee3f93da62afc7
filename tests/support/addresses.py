"""Clients at other network addresses: the whole of 127.0.0.0/8 is this machine."""

import requests
from requests.adapters import HTTPAdapter


class _From(HTTPAdapter):
    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, source_address=(self.address, 0), **kwargs)


def coming_from(address):
    """Return a session whose requests come from this address; ask for 127.0.0.1, not localhost."""
    session = requests.Session()
    session.mount("http://", _From(address))
    return session


def over_ipv4(url):
    """Return the same URL by the address that such a session reaches."""
    return url.replace("//localhost:", "//127.0.0.1:")
