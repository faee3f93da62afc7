"""What the demo says where a library is missing that an identity provider needs."""

import importlib.util

import pytest

from synapse_nextgen_auth.cli import demo


def test_what_is_off_needs_no_library(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)

    demo._require_libraries({"saml2_config": {"enabled": False}, "oidc_providers": []})


@pytest.mark.parametrize(
    ("settings", "extra"),
    [
        ({"oidc_providers": [{"idp_id": "x"}]}, "oidc"),
        ({"saml2_config": {"sp_config": {}}}, "saml2"),
    ],
)
def test_a_library_that_is_missing_is_told_in_a_sentence(
    monkeypatch, tmp_path, capsys, settings, extra
):
    """In place of the traceback with which Synapse ends."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    file = tmp_path / "extra.yaml"
    file.write_text(str(settings).replace("'", '"'))
    options = demo.DemoOptions(port=0, directory=None, database=None, config=file, as_json=False)

    assert demo.run(options) == 1
    printed = capsys.readouterr().err
    assert f"pip install 'matrix-synapse[{extra}]'" in printed
    assert "Traceback" not in printed
