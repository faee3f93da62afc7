"""What a machine needs that has nothing but this checkout, and a proxy in front of it."""

import configparser
import fnmatch
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support import node

ROOT = Path(__file__).parents[2]
ALWAYS_LET_THROUGH = ["PIP_*", "http_proxy", "https_proxy", "no_proxy", "HOME"]  # by tox itself


@pytest.mark.parametrize(
    "name",
    [
        *("NODE_EXTRA_CA_CERTS", "NODE_OPTIONS", "NODE_TLS_REJECT_UNAUTHORIZED"),
        *("npm_config_cafile", "npm_config_registry", "npm_config_cache", "NPM_CONFIG_REGISTRY"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "https_proxy", "all_proxy"),
        *("PIP_INDEX_URL", "PIP_CACHE_DIR", "XDG_CACHE_HOME", "UV_INDEX_URL", "CHROMIUM", "CI"),
    ],
)
def test_tox_lets_through_what_installers_go_by(name):
    """A machine behind a proxy says so by these; one that is kept back ends in a failed install."""
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    let_through = tox["testenv"]["pass_env"].split() + ALWAYS_LET_THROUGH

    assert any(fnmatch.fnmatchcase(name, pattern) for pattern in let_through)


def test_libraries_that_cannot_be_installed_are_explained(tmp_path, monkeypatch):
    """Nobody answers at the registry: one sentence says so and what to look at."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(proxy, raising=False)

    with pytest.raises(node.NotInstalled) as refused:
        node.installed()

    assert "npm says ECONNREFUSED. Check https_proxy and npm_config_registry" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("said", "cause", "remedy"),
    [
        ("npm error code SELF_SIGNED_CERT_IN_CHAIN\nnpm error x", "SELF_SIGNED_CERT", "NODE_EXTRA"),
        ("npm ERR! code UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "UNABLE_TO_GET", "NODE_EXTRA_CA_CERTS"),
        ("npm error code ENOTFOUND", "ENOTFOUND", "npm_config_registry"),
        ("npm error code E404\nnpm error 404", "E404", "npm ci"),
        ("Killed\n", "Killed", "npm ci"),
        ("", "nothing", "npm ci"),
    ],
)
def test_what_npm_says_becomes_one_line(said, cause, remedy):
    """Cause and remedy, whatever npm printed around them."""
    text = str(node.NotInstalled(said))

    assert cause in text
    assert remedy in text
    assert "\n" not in text


def test_under_ci_one_failure_stands_for_all_that_would_skip(tmp_path):
    """Forty tests that miss the same thing fail once, and the others say no more than that."""
    (tmp_path / "test_it.py").write_text(
        "import pytest\n"
        "@pytest.mark.parametrize('n', range(40))\n"
        "def test_it(n): pytest.skip('no libraries')\n"
    )
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    environment = {**os.environ, "CI": "true", "PYTHONPATH": str(ROOT / "tests")}

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rfs", "-p", "no:cacheprovider", str(tmp_path)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 1, run.stdout + run.stderr
    assert "1 failed, 39 skipped" in run.stdout
    assert run.stdout.count("under CI nothing may skip: ") <= 2, run.stdout
