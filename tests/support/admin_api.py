"""A client of the admin API: it believes no answer that the server's own document does not have."""

import json
import re
from functools import cached_property

import attrs
import jsonschema
import requests

from support.oauth import API, DEVICE, Server, device_id

MAS_ADMIN = "urn:mas:admin"
ROOT = "api/admin/v1/"


def scope():
    """Return what tools for administrators ask for."""
    return f"{API} {DEVICE}{device_id()} {MAS_ADMIN}"


@attrs.define
class Document:
    """The OpenAPI document of a server."""

    text: dict

    @cached_property
    def paths(self):
        """Every path as a pattern, the most exact one first."""
        found = [
            (re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path)) + "$"), item)
            for path, item in self.text["paths"].items()
        ]
        return sorted(found, key=lambda each: each[0].pattern.count("[^/]+"))

    def operation(self, method, path):
        """Return what the document says of a request; `path` is below the issuer."""
        return next(
            item[method.lower()]
            for pattern, item in self.paths
            if pattern.match(path) and method.lower() in item
        )

    def check(self, operation, answer):
        """Fail unless an answer is one that the document has."""
        described = operation["responses"].get(str(answer.status_code))
        assert described, (operation["operationId"], answer.status_code, answer.text)
        if "content" not in described:
            assert answer.content == b""
            return
        kind = answer.headers["Content-Type"]
        schema = described["content"][kind]["schema"]
        validator = jsonschema.Draft202012Validator(
            {**schema, "components": self.text["components"]},
            format_checker=jsonschema.FormatChecker(),
        )
        in_lines = kind == "application/x-ndjson"
        for each in map(json.loads, answer.text.splitlines()) if in_lines else [answer.json()]:
            validator.validate(each)


@attrs.define
class AdminApi:
    """The admin API for one access token; each answer is checked."""

    server: Server
    token: str
    document: Document

    @classmethod
    def of(cls, server, token):
        """Return the API of a server."""
        spec = requests.get(server.url("api/spec.json"), timeout=30)
        assert spec.status_code == 200, spec.text
        return cls(server, token, Document(spec.json()))

    def ask(self, method, path, **options):
        """Send a request, and return its answer after a look at it."""
        answer = self.server.api(
            method,
            self.server.url(ROOT + path)[len(self.server.base_url.rstrip("/")) :],
            self.token,
            **options,
        )
        plain = path.partition("?")[0]
        self.document.check(self.document.operation(method, f"/{ROOT}{plain}"), answer)
        return answer

    def get(self, path, **parameters):
        """Return what a path tells."""
        answer = self.ask("GET", path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, method, path, status, **options):
        """Return why a request is refused."""
        answer = self.ask(method, path, **options)
        assert answer.status_code == status, answer.text
        return answer.json()["errors"][0]["title"]

    def do(self, method, path, body=None, *, status=200, **parameters):
        """Change something, and return what is told of it."""
        answer = self.ask(method, path, params=parameters, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()["data"] if answer.content else None
