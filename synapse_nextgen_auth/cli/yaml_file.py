"""Read an operator's YAML file; every mistake becomes one sentence that says where it is."""

from pathlib import Path
from typing import Any

import yaml


class YamlFileError(Exception):
    """The file cannot be used; the message names it and says why."""


def read(path: Path) -> dict[str, Any]:
    """Return the mapping in the file; an empty file is an empty mapping."""
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise YamlFileError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise YamlFileError(f"{path}: not UTF-8 text (byte {error.start})") from error
    except yaml.YAMLError as error:
        raise YamlFileError(f"{path}{_where(error)}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise YamlFileError(f"{path}: expected `key: value` lines, found a {_kind(content)}")
    return content


def _where(error: yaml.YAMLError) -> str:
    """Return position and reason without the line itself: it may hold a secret."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return ": not valid YAML"
    mark = error.problem_mark
    return f", line {mark.line + 1}, column {mark.column + 1}: {error.problem}"


def _kind(content: object) -> str:
    return "list" if isinstance(content, list) else "single value"
