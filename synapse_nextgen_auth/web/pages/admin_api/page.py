"""What the page says that describes the admin API."""

from typing import ClassVar

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import PageContent


@frozen
class Parameter:
    """Something that is sent; `kind` is what it has to be, in the words of JSON Schema."""

    name: str
    kind: str
    about: str
    is_needed: bool = False


@frozen
class Said:
    """What an answer with this status says."""

    status: str
    about: str


@frozen
class Described:
    """One operation. The words are those of the OpenAPI document, which is in English."""

    method: str
    path: str
    summary: str
    about: str
    parameters: tuple[Parameter, ...] = ()
    members: tuple[Parameter, ...] = ()
    answers: tuple[Said, ...] = ()


@frozen
class Subject:
    """The operations on one kind of thing."""

    name: str
    operations: tuple[Described, ...]


@frozen
class AdminApiPage(PageContent):
    """Describe every operation.

    `scope` is what a token needs, and the relative `spec_url` leads to the same as a document.
    """

    template: ClassVar[str] = "pages/admin_api.html"

    server_name: str
    scope: str
    spec_url: str
    subjects: tuple[Subject, ...]
