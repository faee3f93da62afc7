"""The page about client libraries names the versions that the tests drive."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/client-libraries.md").read_text("utf-8")
# axe-core looks at pages; the others are identity providers, and what one of them runs in.
NO_CLIENTS = ("axe-core", "express", "oidc-provider", "samlp")
ROW = re.compile(r"^\| ([a-z0-9-]+) \| ([0-9., ]+) \|", re.MULTILINE)


def installed():
    """Return the versions of each JavaScript library, the newest first."""
    (package,) = (ROOT / "tests").rglob("js/package.json")
    versions = {}
    for name, version in json.loads(package.read_text("utf-8"))["dependencies"].items():
        library = re.sub(r"-\d+$", "", name)
        versions.setdefault(library, []).append(version.rpartition("@")[2])
    return {name: sorted(found, reverse=True) for name, found in versions.items()}


def test_the_versions_are_those_that_are_installed():
    """Every library that signs in is there, in every version of it."""
    stated = {name: versions.split(", ") for name, versions in ROW.findall(PAGE)}
    signing_in = installed()
    for other in NO_CLIENTS:
        del signing_in[other]

    assert stated == signing_in
