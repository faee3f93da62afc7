"""Every endpoint that the installed Synapse registers for clients and media, on main or a worker.

python -m support.servlets main|worker  writes them as JSON: class, method, pattern.
"""

import contextlib
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import synapse.config.experimental
from signedjson.key import generate_signing_key, write_signing_keys
from synapse.app.generic_worker import GenericWorkerServer
from synapse.app.homeserver import SynapseHomeServer
from synapse.config.homeserver import HomeServerConfig
from synapse.rest import ClientRestResource
from synapse.rest.media.media_repository_resource import MediaRepositoryResource
from twisted.internet import reactor

# Named differently in each release, and each of them may add an endpoint. Some are another way to check
# tokens, are refused beside another of them, or want settings of their own.
_NOT = ("3861", "3866", "2697", "4108", "4388")


def of(process):
    """Return what the main process or a worker registers, as (class, method, pattern)."""
    run = subprocess.run(
        [sys.executable, "-m", "support.servlets", process],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return [tuple(each) for each in json.loads(run.stdout)]


def samples(pattern):
    """Return paths that a pattern of Synapse matches: each of its alternatives, with its arguments."""
    return _spell(pattern.removeprefix("^").removesuffix("$"))


def _spell(pattern):
    spelled, at = [""], 0
    while at < len(pattern):
        if pattern[at] == "\\":
            parts, at = [pattern[at + 1]], at + 2
        elif pattern[at] == "(":
            end = _end_of(pattern, at)
            parts, at = _alternatives(pattern[at + 1 : end]), end + 1
            if pattern[at : at + 1] == "?":
                parts, at = [*parts, ""], at + 1
        else:
            parts, at = [pattern[at]], at + 1
        spelled = [before + part for before in spelled for part in parts]
    return spelled


def _alternatives(group):
    name = re.match(r"\?P<(\w+)>", group)
    inner = group[name.end() :] if name else group
    if name and ("[" in inner or ".*" in inner):
        return [inner[: inner.index("/") + 1] + "x/y"] if ".*" in inner else [f"x{name[1]}"]
    return inner.split("|") if "|" in inner and "(" not in inner else _spell(inner)


def _end_of(pattern, at):
    depth, in_class = 0, False
    for index in range(at, len(pattern)):
        one = pattern[index]
        if pattern[index - 1] == "\\":
            continue
        if one in "[]":
            in_class = one == "["
        if not in_class and one in "()":
            depth += 1 if one == "(" else -1
            if depth == 0:
                return index
    raise ValueError(pattern)


def _settings(process, directory):
    source = inspect.getsource(synapse.config.experimental)
    names = set(re.findall(r'"(\w+_enabled)"', source))
    # A release that knows two kinds of dehydrated devices serves either of them.
    if "msc2697_enabled" in names:
        names.discard("msc3814_enabled")
    settings = {
        "server_name": "example.com",
        "public_baseurl": "https://example.com/",
        "signing_key_path": f"{directory}/key",
        "media_store_path": f"{directory}/media",
        "report_stats": False,
        "database": {"name": "sqlite3", "args": {"database": ":memory:"}},
        "registration_shared_secret": "secret",
        "macaroon_secret_key": "secret",
        "form_secret": "secret",
        "listeners": [],
        "trusted_key_servers": [],
        "login_via_existing_session": {"enabled": True},
        "experimental_features": {
            name: True for name in names if not any(each in name for each in _NOT)
        },
    }
    if process == "worker":
        settings |= {
            "worker_app": "synapse.app.generic_worker",
            "worker_name": "worker1",
            "instance_map": {"main": {"host": "localhost", "port": 1}},
            "redis": {"enabled": True},
        }
    return settings


def _walk(process):
    with tempfile.TemporaryDirectory() as directory:
        with Path(directory, "key").open("w") as file:
            write_signing_keys(file, [generate_signing_key("a")])
        config = HomeServerConfig()
        config.config_files = []
        config.parse_config_dict(_settings(process, directory), directory, directory)
        kind = GenericWorkerServer if process == "worker" else SynapseHomeServer
        homeserver = kind("example.com", config=config, reactor=reactor)
        homeserver.setup()
        resources = [ClientRestResource(homeserver)]
        if config.media.can_load_media_repo:
            resources.append(MediaRepositoryResource(homeserver))
        return sorted(
            {
                (entry.servlet_classname, method.decode(), pattern.pattern)
                for resource in resources
                for pattern, methods in resource._routes.items()
                for method, entry in methods.items()
            }
        )


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        found = _walk(sys.argv[1])
    print(json.dumps(found), flush=True)
    os._exit(0)  # the reactor's threads never end
