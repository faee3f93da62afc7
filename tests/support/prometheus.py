"""A real Prometheus on loopback that reads one homeserver, with the rules that we ship."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import attrs
import requests
import yaml
from typing_extensions import Self

from support.ports import free_port
from support.waiting import eventually


def program() -> str | None:
    """Return the path of Prometheus if this machine has one, with its tool."""
    return shutil.which("prometheus") if shutil.which("promtool") else None


@attrs.define
class Prometheus:
    """One Prometheus; `target` is the address of a homeserver."""

    directory: Path
    target: str
    rules: Path
    port: int = attrs.field(factory=lambda: free_port(["127.0.0.1"]))
    _running: subprocess.Popen | None = None

    @property
    def config(self) -> Path:
        """Its configuration; the rules lie beside it, as the page about monitoring says."""
        return self.directory / "prometheus.yml"

    def __enter__(self) -> Self:
        shutil.copy(self.rules, self.directory)
        settings = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [self.rules.name],
            "scrape_configs": [
                {
                    "job_name": "synapse",
                    "metrics_path": "/_synapse/metrics",
                    "static_configs": [{"targets": [self.target.split("//")[1].rstrip("/")]}],
                }
            ],
        }
        self.config.write_text(yaml.safe_dump(settings))
        command = [
            program(),
            f"--config.file={self.config}",
            f"--storage.tsdb.path={self.directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]
        with (self.directory / "log").open("ab") as log:
            self._running = subprocess.Popen(command, stdout=log, stderr=log)
        if not eventually(self._is_there):
            self.__exit__()
            raise RuntimeError((self.directory / "log").read_text())
        return self

    def __exit__(self, *_: object) -> None:
        if self._running is not None:
            self._running.terminate()
            self._running.wait(30)
            self._running = None

    def check(self) -> str:
        """Return what `promtool` says of the configuration and its rules."""
        done = subprocess.run(
            ["promtool", "check", "config", self.config],
            check=False,
            capture_output=True,
            text=True,
        )
        return done.stdout + done.stderr

    def ask(self, path: str, **query: str) -> Any:
        """Return the `data` of an answer of its API."""
        answer = requests.get(
            f"http://127.0.0.1:{self.port}/api/v1/{path}", params=query, timeout=30
        )
        body = json.loads(answer.text)
        assert body["status"] == "success", (query, body)
        return body["data"]

    def values(self, expression: str) -> list[Any]:
        """Return the series that an expression of PromQL gives now."""
        return list(self.ask("query", query=expression)["result"])

    def _is_there(self) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/-/ready", timeout=5).ok
        except requests.ConnectionError:
            return False
