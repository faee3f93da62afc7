"""Main process and workers serve the same: every path of ours, and what Matrix clients look up."""

import pytest
import requests

from support.deployment import PROCESSES
from support.markdown import DOCS, rows, section
from synapse_nextgen_auth.oauth.metadata import PREFIX
from synapse_nextgen_auth.web.routes import ROUTES, WELL_KNOWN

MATRIX_DISCOVERY = (
    "/_matrix/client/v1/auth_metadata",
    "/_matrix/client/unstable/org.matrix.msc2965/auth_metadata",
    "/_matrix/client/unstable/org.matrix.msc2965/auth_issuer",
    "/.well-known/matrix/client",
)
DOCUMENTS = (
    *MATRIX_DISCOVERY,
    *(f"{PREFIX}{path}" for path in WELL_KNOWN),
    *(f"{path}{PREFIX}" for path in WELL_KNOWN),
    f"{PREFIX}/keys",
)
WORKERS_PAGE = section(DOCS / "setup" / "workers.md", "Paths that may go to workers")
FOR_WORKERS = [row[0].split("`")[1] for row in rows(WORKERS_PAGE)]


def everywhere(deployment, method, path, **options):
    return [
        requests.request(
            method,
            deployment.process(name).base_url + path,
            allow_redirects=False,
            timeout=30,
            **options,
        )
        for name in PROCESSES
    ]


@pytest.mark.parametrize("path", DOCUMENTS)
def test_c007_documents_are_the_same_bytes_on_every_process(deployment, path):
    """A client may ask any process who the authorization server is."""
    answers = everywhere(deployment, "GET", path)

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert deployment.base_url in answers[1].text or path.endswith("/keys")


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "DELETE"])
@pytest.mark.parametrize("path", [*ROUTES, "/nothing-here"])
def test_c355_every_route_answers_alike_on_every_process(deployment, method, path):
    """No path of ours needs a process of its own."""
    answers = everywhere(deployment, method, PREFIX + path)

    told = {
        (answer.status_code, answer.headers.get("Content-Type"), answer.headers.get("Allow"))
        for answer in answers
    }
    assert len(told) == 1
    assert answers[0].status_code < 500


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", FOR_WORKERS)
def test_c363_what_a_proxy_may_send_to_workers_is_there(deployment, method, path):
    """Each path of the documentation is known to every process, which says the same."""
    answers = everywhere(deployment, method, path)

    told = {(answer.status_code, errcode(answer)) for answer in answers}
    assert len(told) == 1
    assert answers[0].status_code < 500
    # What is unknown altogether would be a 404 with another code, or none.
    assert method == "POST" or answers[0].status_code != 404 or errcode(answers[0]) == "M_NOT_FOUND"


def errcode(answer):
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    return answer.json().get("errcode") if is_json and answer.content else None


def test_c355_static_files_are_on_every_process(deployment):
    """The pages of one process may load what another one serves."""
    page = requests.get(f"{deployment.base_url}{PREFIX}/sign-in", timeout=30).text
    name = page.partition(f"{PREFIX}/static/")[2].partition('"')[0]

    answers = everywhere(deployment, "GET", f"{PREFIX}/static/{name}")

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
