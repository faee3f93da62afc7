"""`synapse-nextgen-auth templates`: pages and mails before they are live."""

import argparse

from synapse_nextgen_auth.cli.templates import check, listed, operators, preview


def run(asked: argparse.Namespace) -> int:
    """Do what was asked and return the exit code."""
    whose, problems = operators.of(asked)
    if problems:
        for text in problems:
            print(f"* {text}")
        return 1
    if asked.action == "list":
        return listed.run(whose, as_json=asked.json, yours=asked.yours)
    if asked.action == "check":
        return check.run(whose)
    return preview.run(whose, port=asked.port)
