"""The OpenAPI document of the admin API: nobody writes it, it is what the operations say."""

from functools import cache
from typing import Any

from synapse_nextgen_auth.oauth.metadata import Endpoints
from synapse_nextgen_auth.oauth.scopes.permissions import MAS_ADMIN
from synapse_nextgen_auth.web.endpoints.admin import table
from synapse_nextgen_auth.web.endpoints.admin.operations import (
    AnswerKind,
    Field,
    Lines,
    Many,
    Nothing,
    One,
    Operation,
    Plain,
    Shape,
    schema_of,
)
from synapse_nextgen_auth.web.endpoints.admin.reading import taken
from synapse_nextgen_auth.web.endpoints.admin.values import Schema, Text, Ulid

_JSON = "application/json"
_LINK: Schema = {"type": "string"}
_SELF: Schema = {
    "type": "object",
    "properties": {"self": _LINK},
    "required": ["self"],
    "additionalProperties": False,
}
# What any call may be answered with.
_ALWAYS = {
    400: "The call is not understood; the title says what would be right.",
    401: "There is no access token, it is no good, or it takes a stronger or more recent sign-in.",
    403: "The token, or its account, may not administer the server.",
    503: "The server cannot answer now.",
}
_OF_BODIES = {413: "The body is too large.", 415: f"The body is not of the type {_JSON}."}

_OF_MAIN = {501: "Another process answered than the main one, which alone does this."}


@cache
def _written(issuer: str) -> dict[str, Any]:
    root = issuer.rstrip("/")
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Schema] = {
        "ULID": Ulid().schema,
        "ErrorResponse": _ERRORS,
    }
    for operation in table.OPERATIONS:
        at = paths.setdefault(f"/api/admin/v1/{operation.path}", {})
        at[operation.method.lower()] = _operation(operation, schemas)
    endpoints = Endpoints(issuer)
    scopes = {MAS_ADMIN: "Administer the accounts of this server"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "synapse_nextgen_auth: admin API",
            "version": "v1",
            "description": "For administrators of this homeserver, with an access token that was"
            f" granted {MAS_ADMIN}.",
        },
        "servers": [{"url": root}],
        "security": [{"oauth2": [MAS_ADMIN]}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "oauth2": {
                    "type": "oauth2",
                    "flows": {
                        "authorizationCode": {
                            "authorizationUrl": endpoints.url("authorize"),
                            "tokenUrl": endpoints.url("token"),
                            "refreshUrl": endpoints.url("token"),
                            "scopes": scopes,
                        },
                        "clientCredentials": {"tokenUrl": endpoints.url("token"), "scopes": scopes},
                    },
                },
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An access token, or a personal token.",
                },
            },
        },
    }


def document(issuer: str) -> dict[str, Any]:
    """Return the document of the server with this issuer."""
    return _written(issuer)


def _operation(operation: Operation, schemas: dict[str, Schema]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        **({"description": operation.about} if operation.about else {}),
        "parameters": [*_of_path(operation), *map(_parameter, taken(operation))],
        "responses": _responses(operation, schemas),
    }
    if operation.body is not None:
        schemas[operation.body_title] = schema_of(operation.body)
        found["requestBody"] = {
            "required": operation.is_body_needed and bool(operation.body),
            "content": {_JSON: {"schema": _ref(operation.body_title)}},
        }
    return found


def _of_path(operation: Operation) -> list[dict[str, Any]]:
    names = [each[1:-1] for each in operation.path.split("/") if each.startswith("{")]
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": _ref("ULID") if name == "id" else Text(255, 1).schema,
        }
        for name in names
    ]


def _parameter(field: Field) -> dict[str, Any]:
    schema = field.value.schema
    if field.repeats:
        return {
            "name": field.name,
            "in": "query",
            "description": field.about,
            "schema": {"type": "array", "items": schema},
            "style": "form",
            "explode": True,
        }
    return {"name": field.name, "in": "query", "description": field.about, "schema": schema}


def _responses(operation: Operation, schemas: dict[str, Schema]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status, kind in operation.answers.items():
        found[str(status)] = _answer(kind, schemas)
    refused = {
        **_ALWAYS,
        **(_OF_BODIES if operation.changes else {}),
        **(_OF_MAIN if operation.is_for_main else {}),
        **operation.refuses,
    }
    for status, about in refused.items():
        found[str(status)] = {"description": about, "content": _content(_ref("ErrorResponse"))}
    return dict(sorted(found.items()))


def _answer(kind: AnswerKind, schemas: dict[str, Schema]) -> dict[str, Any]:
    if isinstance(kind, Nothing):
        return {"description": "Done."}
    if isinstance(kind, Lines):
        schemas[kind.title] = schema_of(kind.fields)
        return {
            "description": "One object in each line; `Link` says where more are.",
            "content": {"application/x-ndjson": {"schema": _ref(kind.title)}},
        }
    if isinstance(kind, Plain):
        schemas[kind.title] = schema_of(kind.fields)
        return {"description": "What was asked for.", "content": _content(_ref(kind.title))}
    _add_thing(kind.shape, schemas)
    if isinstance(kind, One):
        title, schema = f"SingleResponse_for_{kind.shape.title}", _single(kind.shape)
    else:
        title, schema = f"PaginatedResponse_for_{kind.shape.title}", _paginated(kind.shape)
    schemas[title] = schema
    about = "A page." if isinstance(kind, Many) else "What was asked for."
    return {"description": about, "content": _content(_ref(title))}


def _add_thing(shape: Shape, schemas: dict[str, Schema]) -> None:
    schemas[shape.title] = schema_of(shape.attributes) | (
        {"description": shape.about} if shape.about else {}
    )
    schemas[f"SingleResource_for_{shape.title}"] = {
        "type": "object",
        "properties": {
            "type": {"type": "string", "const": shape.type},
            "id": _ref("ULID"),
            "attributes": _ref(shape.title),
            "links": _SELF,
            "meta": {
                "type": "object",
                "properties": {
                    "page": {
                        "type": "object",
                        "properties": {"cursor": {"type": "string"}},
                        "required": ["cursor"],
                        "additionalProperties": False,
                    }
                },
                "additionalProperties": False,
            },
        },
        "required": ["type", "id", "attributes", "links"],
        "additionalProperties": False,
    }


def _single(shape: Shape) -> Schema:
    return {
        "type": "object",
        "properties": {"data": _ref(f"SingleResource_for_{shape.title}"), "links": _SELF},
        "required": ["data", "links"],
        "additionalProperties": False,
    }


def _paginated(shape: Shape) -> Schema:
    links = ("self", "first", "last", "next", "prev")
    return {
        "type": "object",
        "properties": {
            "meta": {
                "type": "object",
                "properties": {"count": {"type": "integer", "minimum": 0}},
                "additionalProperties": False,
            },
            "data": {"type": "array", "items": _ref(f"SingleResource_for_{shape.title}")},
            "links": {
                "type": "object",
                "properties": dict.fromkeys(links, _LINK),
                "required": ["self"],
                "additionalProperties": False,
            },
        },
        "required": ["links"],
        "additionalProperties": False,
    }


_ERRORS: Schema = {
    "type": "object",
    "properties": {
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {"title": {"type": "string"}},
                "required": ["title"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["errors"],
    "additionalProperties": False,
}


def _content(schema: Schema) -> dict[str, Any]:
    return {_JSON: {"schema": schema}}


def _ref(title: str) -> Schema:
    return {"$ref": f"#/components/schemas/{title}"}
