"""The picture of a secret: the modules that segno draws, on a white edge, as one path."""

import re

import pytest
import segno

from synapse_nextgen_auth.web import qr

URI = "otpauth://totp/example.org:%40alice%3Aexample.org?secret=JBSWY3DPEHPK3PXP&issuer=example.org"


@pytest.mark.parametrize("text", ["x", URI, URI + "y" * 1200])
def test_the_path_draws_the_dark_modules_and_no_others(text):
    """Each once, and nothing at the edge."""
    picture = qr.draw(text)
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", picture.path)
    dark = [(int(x) + off, int(y)) for x, y, length, _ in runs for off in range(int(length))]
    wanted = {
        (x + 2, y + 2)
        for y, row in enumerate(segno.make(text, error="m", micro=False).matrix)
        for x, module in enumerate(row)
        if module
    }

    assert "".join("M{} {}h{}v1h-{}z".format(*run) for run in runs) == picture.path
    assert all(length == back for _, _, length, back in runs)
    assert len(dark) == len(set(dark))
    assert set(dark) == wanted
    assert max(max(module) for module in dark) == picture.size - 3
