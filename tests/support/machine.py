"""An operator's machine as far as commands of the documentation see it.

What the pages call `/opt/venvs/matrix-synapse` or `/etc/matrix-synapse` lies in a directory, and
so does the home of whoever types. `sudo` and `docker` do what their arguments say, as this user.
"""

import argparse
import fnmatch
import os
import shlex
import shutil
import stat
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import attrs

from support.markdown import ROOT

CHECKOUT = "/usr/local/src/synapse-nextgen-auth"
DEBIAN = "/opt/venvs/matrix-synapse"
_SUDO = '#!/bin/sh\n[ "$1" = -u ] && shift 2\nexec "$@"\n'
_PIP = '#!/bin/sh\nexec "$(dirname "$0")/python" -m pip "$@"\n'
_PYTHON = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
# Only our own package is installed; what it needs is borrowed from this environment.
_PIP_SETTINGS = {
    "PIP_NO_INDEX": "1",
    "PIP_NO_DEPS": "1",
    "PIP_NO_BUILD_ISOLATION": "0",  # which means without, as pip reads it
    "PIP_IGNORE_INSTALLED": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_ROOT_USER_ACTION": "ignore",
}


@attrs.define
class Machine:
    """Runs what stands in a block, with its paths moved below `directory`."""

    directory: Path
    places: dict[str, str] = attrs.field(factory=dict)

    def __attrs_post_init__(self):
        tools = self.directory / "tools"
        tools.mkdir()
        for name, text in {"sudo": _SUDO, "python3": _PYTHON}.items():
            _write_program(tools / name, text)
        self.home.mkdir()
        self.places = {CHECKOUT: str(ROOT), **self.places}

    @property
    def home(self):
        return self.directory / "home"

    def put(self, documented):
        """Return a new directory that the pages call by this path."""
        place = self.directory / documented.strip("/").replace("~", "home")
        place.mkdir(parents=True)
        if documented.startswith("/"):
            self.places[documented] = str(place)
        return place

    def environment_at(self, documented):
        """Make a Python environment there that has Synapse, and not our package."""
        place = self.put(documented)
        _make_environment(place)
        return place

    def begin(self, text, *, cwd=None, **variables):
        """Start what the block says, in a session of its own."""
        for documented in sorted(self.places, key=len, reverse=True):
            text = text.replace(documented, self.places[documented])
        path = f"{self.directory / 'tools'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        without = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
        return subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=cwd or self.home,
            env=without | _PIP_SETTINGS | {"HOME": str(self.home), "PATH": path} | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, text, **options):
        """Run what the block says and return what it prints; it has to succeed."""
        process = self.begin(text, **options)
        printed, complaints = process.communicate(timeout=300)
        assert process.returncode == 0, printed + complaints
        return printed

    def docker(self, line, *, containers=None):
        """Do what `docker build` and `docker run` do, as far as our pages use them.

        `containers` says which container has which volumes, as path inside to directory outside.
        """
        asked = _docker_parser().parse_args(shlex.split(line)[1:])
        if asked.command == "build":
            return self._build(asked)
        volumes = containers[asked.volumes_from]
        program = self.directory / "images" / asked.image / "bin" / asked.entrypoint
        arguments = [str(program), *asked.arguments]
        text = shlex.join(arguments)
        for inside, outside in volumes.items():
            text = text.replace(inside, str(outside))
        return self.run(text)

    def _build(self, asked):
        context = Path(asked.context.replace(CHECKOUT, self.places[CHECKOUT]))
        image = self.directory / "images" / asked.tag
        _make_environment(image)
        for line in (context / "Dockerfile").read_text().splitlines():
            instruction, _, rest = line.partition(" ")
            if instruction == "COPY":
                source, target = rest.split()
                assert source == "."
                inside = self.put(target)
                copy_context(context, inside)
            elif instruction == "RUN":
                assert rest.startswith("pip ")
                self.run(f"{image}/bin/{rest}")
            else:
                assert instruction == "FROM", line
        return image


def copy_context(context, target):
    """Copy what `.dockerignore` lets in, as Docker reads it: the last line that fits decides."""
    lines = (context / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    for file in _walk(context, patterns):
        copy = target / file.relative_to(context)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)


def _walk(context, patterns):
    """Yield the files that are let in; a directory at the top is looked into only if it may be."""
    for top in sorted(context.iterdir()):
        if top.is_dir() and not any(p.startswith(f"!{top.name}") for p in patterns):
            assert _is_ignored(top.name, patterns), f"{top.name} gets in by accident"
            continue
        files = sorted(top.rglob("*")) if top.is_dir() else [top]
        for file in files:
            path = file.relative_to(context).as_posix()
            if file.is_file() and not _is_ignored(path, patterns):
                yield file


def _is_ignored(path, patterns):
    ignored = False
    for pattern in patterns:
        if _fits(path, pattern.lstrip("!")):
            ignored = not pattern.startswith("!")
    return ignored


def _fits(path, pattern):
    """Say whether a pattern names a path or a directory around it; `**/` is any depth."""
    parts = path.split("/")
    around = ["/".join(parts[: length + 1]) for length in range(len(parts))]
    if pattern.startswith("**/"):
        return any(fnmatch.fnmatchcase(part, pattern[3:]) for part in parts)
    depth = pattern.count("/")
    return any(one.count("/") == depth and fnmatch.fnmatchcase(one, pattern) for one in around)


def _docker_parser():
    parser = argparse.ArgumentParser("docker", exit_on_error=False)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build")
    build.add_argument("--tag", required=True)
    build.add_argument("context")
    run = commands.add_parser("run")
    run.add_argument("--rm", action="store_true")
    run.add_argument("--volumes-from", required=True)
    run.add_argument("--user")
    run.add_argument("--entrypoint", required=True)
    run.add_argument("image")
    run.add_argument("arguments", nargs=argparse.REMAINDER)
    return parser


def _make_environment(place):
    venv.create(place, with_pip=False)
    (packages,) = place.glob("lib/python*/site-packages")
    # As a path and not as a site directory: our package in that environment stays out of sight if
    # it is an editable install, and comes after a copy installed here if it is not.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    _write_program(place / "bin" / "pip", _PIP)


def _write_program(path, text):
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
