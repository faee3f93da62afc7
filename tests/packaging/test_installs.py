"""A wheel, an sdist and an editable install all find their templates and run their command."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

REPORT = """
import json
from pathlib import Path
import synapse_nextgen_auth
from synapse_nextgen_auth.web.templates import _CANDIDATES, Templates, find_directory

Templates("/loads-every-page")
package = Path(synapse_nextgen_auth.__file__).parent
templates = find_directory(_CANDIDATES)
print(json.dumps({
    "package": str(package),
    "templates": sorted(str(f.relative_to(templates)) for f in templates.rglob("*.*")),
    "schema": sorted(f.name for f in (package / "store" / "schema").glob("*.sql")),
    "is_typed": (package / "py.typed").exists(),
}))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """Build the sdist and, from the sdist, the wheel."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT)
    return out


@pytest.fixture(scope="module")
def sources(built, tmp_path_factory) -> Path:
    """Unpack the sdist."""
    (sdist,) = built.glob("*.tar.gz")
    directory = tmp_path_factory.mktemp("sources")
    run("tar", "--extract", "--file", sdist, "--directory", directory)
    return next(directory.iterdir())


@pytest.fixture
def place(request, built, sources) -> list[str]:
    """Return what to hand to `pip install`."""
    return {
        "wheel": [str(next(built.glob("*.whl")))],
        "sdist": [str(next(built.glob("*.tar.gz")))],
        "editable": ["-e", str(sources)],
    }[request.param]


@pytest.mark.parametrize("place", ["wheel", "sdist", "editable"], indirect=True)
def test_an_install_is_complete(place, tmp_path):
    python = environment(tmp_path / "environment")
    # This environment's own copy of the package is in sight and does not count.
    pip = [sys.executable, "-m", "pip", f"--python={python}", "install", "--ignore-installed"]
    run(*pip, "--quiet", "--no-compile", "--no-index", "--no-deps", "--no-build-isolation", *place)

    version = run(python.parent / "synapse-nextgen-auth", "--version", cwd=tmp_path)
    report = json.loads(run(python, "-c", REPORT, cwd=tmp_path))

    assert version.startswith("synapse-nextgen-auth ")
    assert str(ROOT) + "/" not in report["package"], "this checkout was imported instead"
    assert report["templates"] == files_of(ROOT / "templates", "*.*")
    assert report["schema"] == files_of(ROOT / "synapse_nextgen_auth/store/schema", "*.sql")
    assert report["is_typed"]


def test_templates_are_at_the_top_of_an_sdist_and_nowhere_else(sources):
    assert (sources / "templates" / "base.html").is_file()
    assert not (sources / "synapse_nextgen_auth" / "templates").exists()
    assert (sources / "LICENSE").is_file()


def environment(directory: Path) -> Path:
    """Make a fresh environment that borrows this one's dependencies; return its Python."""
    venv.create(directory, with_pip=False)
    python = directory / "bin" / "python"
    (packages,) = directory.glob("lib/python*/site-packages")
    # Read after an editable install's own path file, so that this environment's copy of our
    # package, if it has one, stays hidden.
    (packages / "zz-dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def run(*command, cwd=ROOT) -> str:
    """Run a command and return what it prints."""
    without = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    finished = subprocess.run(
        command, cwd=cwd, env=without, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def files_of(directory: Path, pattern: str) -> list[str]:
    """Return the files below, as relative paths."""
    return sorted(str(file.relative_to(directory)) for file in directory.rglob(pattern))
