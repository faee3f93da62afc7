"""Clients that the operator writes into homeserver.yaml instead of letting them register."""

from collections.abc import Callable

from synapse_nextgen_auth.oauth.clients import Client


def read_static(raw: object, *, read_file: Callable[[str], str]) -> Client:
    raise NotImplementedError
