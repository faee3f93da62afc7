"""Mistakes in a YAML file are told with their place and without the line, which may be secret."""

import pytest

from synapse_nextgen_auth.cli.yaml_file import YamlFileError, read


def test_an_empty_file_is_an_empty_mapping(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("# nothing yet\n")

    assert read(path) == {}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"a: 1\nform_secret: 'geheim\n", "a.yaml, line 3, column 1: found unexpected end"),
        (b"a: [1, geheim", "a.yaml, line 1, column 14: expected ',' or ']'"),
        (b"a: !vault geheim", "a.yaml, line 1, column 4: could not determine a constructor"),
        (b"a: \xff\xfegeheim", "a.yaml: not UTF-8 text (byte 3)"),
        (b"a: \x00geheim", "a.yaml: not valid YAML"),
        (b"- geheim", "a.yaml: expected `key: value` lines, found a list"),
        (b"geheim", "a.yaml: expected `key: value` lines, found a single value"),
    ],
)
def test_a_mistake_is_placed_and_the_line_is_not_repeated(tmp_path, content, complaint):
    path = tmp_path / "a.yaml"
    path.write_bytes(content)

    with pytest.raises(YamlFileError) as caught:
        read(path)

    assert str(caught.value).startswith(f"{tmp_path}/{complaint}")
    assert "geheim" not in str(caught.value)


def test_a_missing_file_and_a_directory_are_called_that(tmp_path):
    with pytest.raises(YamlFileError, match="No such file or directory"):
        read(tmp_path / "missing.yaml")
    with pytest.raises(YamlFileError, match="Is a directory"):
        read(tmp_path)
