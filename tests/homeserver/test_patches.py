"""The two ways to change Synapse, and the list of what is changed."""

import asyncio
import re
from collections import Counter

import pytest
from synapse.http.site import SynapseRequest

from support.markdown import DOCS
from support.ports import free_port
from support.synapse import sqlite_homeserver
from synapse_nextgen_auth.homeserver.startup import patches

PAGE = DOCS / "development" / "supported-synapse.md"
# What the oldest release has not, as the page says.
RAW = "synapse.http.site.SynapseRequest._validate_content_length"
IS_RAW = hasattr(SynapseRequest, "_validate_content_length")


class Handler:
    """Something of Synapse."""

    def __init__(self):
        self.deleted = []

    async def delete(self, user_id, *, fails=False):
        if fails:
            raise ValueError("stock failed")
        self.deleted.append(user_id)
        return "stock"


class Ours(Handler):
    async def delete(self, user_id, *, fails=False):
        return f"ours, then {await super().delete(user_id, fails=fails)}"


@pytest.fixture
def handler(monkeypatch):
    monkeypatch.setattr(patches, "_changes", set())
    return Handler()


def test_after_runs_when_the_method_has_succeeded(handler):
    """With its result and what it was called with; the caller gets the result as ever."""
    heard = []

    async def then(result, user_id, **_kwargs):
        heard.append((result, user_id))

    patches.after(handler, "delete", then)

    assert asyncio.run(handler.delete("@a:b")) == "stock"
    with pytest.raises(ValueError, match="stock failed"):
        asyncio.run(handler.delete("@c:d", fails=True))
    assert heard == [("stock", "@a:b")]
    assert handler.deleted == ["@a:b"]


def test_instead_gives_back_what_was_there(handler):
    """So that ours can do it as well."""

    async def ours(user_id):
        return f"ours, then {await stock(user_id)}"

    stock = patches.instead(handler, "delete", ours)

    assert asyncio.run(handler.delete("@a:b")) == "ours, then stock"


def test_instead_of_all_of_an_objects_methods(handler):
    """Whoever holds the object sees the new behaviour."""
    held = handler.delete

    patches.instead(handler, "__class__", Ours)

    assert asyncio.run(handler.delete("@a:b")) == "ours, then stock"
    assert asyncio.run(held("@a:b")) == "stock"
    assert [(c.name.rpartition(".")[2], c.how) for c in patches.changes()] == [
        ("__class__", "instead")
    ]


def documented():
    """Return the rows of the table of what is changed."""
    table = PAGE.read_text("utf-8").partition("### What is changed")[2].partition("\n## ")[0]
    return [
        tuple(cell.strip(" `") for cell in line.strip("|").split("|"))
        for line in table.splitlines()
        if line.startswith("| `")
    ]


@pytest.fixture(scope="module")
def told(tmp_path_factory, make_providers):
    """Return what a running server tells: with providers, and two listeners that lead to them."""
    directory = tmp_path_factory.mktemp("homeserver-patches")
    homeserver = sqlite_homeserver(directory, log_level="DEBUG")
    (listener,) = homeserver.settings()["listeners"]
    other = listener | {"port": free_port(listener["bind_addresses"])}
    homeserver.config = make_providers("http://localhost:1").config | {
        "listeners": [listener, other]
    }
    with homeserver:
        return re.findall(r"In Synapse (\S+) has ours (\w+): (\S+)", homeserver.log_text())


def test_what_is_changed_is_documented(told):
    """A running server tells, and the page says the same: nothing more and nothing less."""
    there = [each for each in documented() if not each[0].startswith(RAW) or IS_RAW]

    assert sorted(there) == sorted({(name, ours, how) for name, how, ours in told})


def test_the_way_through_providers_is_taken_over_once(told):
    """Each listener with the client API serves it; a second time ours would be around ours."""
    times = Counter(name for name, _, _ in told)

    assert times["synapse.handlers.sso.SsoHandler.complete_sso_login_request"] == 1
