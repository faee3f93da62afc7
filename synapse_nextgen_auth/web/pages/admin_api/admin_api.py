"""`/api/doc/`: what the OpenAPI document of the admin API says, for people, without a script."""

from typing import Any

from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.oauth.scopes.permissions import MAS_ADMIN
from synapse_nextgen_auth.web.endpoints.admin import openapi
from synapse_nextgen_auth.web.pages.admin_api.page import (
    AdminApiPage,
    Described,
    Parameter,
    Said,
    Subject,
)
from synapse_nextgen_auth.web.visits import Visit

_JSON = "application/json"


async def show(visit: Visit) -> Outgoing:
    """Show it to anybody."""
    site = visit.site
    document = openapi.document(site.issuer.identifier)
    return visit.answer(
        AdminApiPage(
            server_name=site.server_name,
            scope=MAS_ADMIN,
            spec_url="../spec.json",
            subjects=_subjects(document),
        )
    )


def _subjects(document: dict[str, Any]) -> tuple[Subject, ...]:
    found: dict[str, list[Described]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            described = _described(document, method.upper(), path, operation)
            found.setdefault(operation["tags"][0], []).append(described)
    return tuple(Subject(name, tuple(each)) for name, each in found.items())


def _described(
    document: dict[str, Any], method: str, path: str, operation: dict[str, Any]
) -> Described:
    sent = operation.get("requestBody", {}).get("content", {}).get(_JSON, {}).get("schema", {})
    schema = _resolved(document, sent)
    needed = schema.get("required", ())
    return Described(
        method,
        path,
        operation["summary"],
        operation.get("description", ""),
        parameters=tuple(
            Parameter(
                each["name"],
                _kind(_resolved(document, each["schema"])),
                each.get("description", ""),
                is_needed=each.get("required", False),
            )
            for each in operation["parameters"]
        ),
        members=tuple(
            Parameter(name, _kind(each), each["description"], is_needed=name in needed)
            for name, each in schema.get("properties", {}).items()
        ),
        answers=tuple(
            Said(status, each["description"]) for status, each in operation["responses"].items()
        ),
    )


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name] if name else schema
    return found


def _kind(schema: dict[str, Any]) -> str:
    """Return what something has to be."""
    kinds = schema.get("type", "JSON")
    said = " / ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if "enum" in schema:
        return " / ".join(str(each) for each in schema["enum"])
    if "items" in schema:
        return f"{said} of {_kind(schema['items'])}"
    return f"{said} ({schema['format']})" if "format" in schema else said
