"""What libraries warn of does not reach the screen; the log has it."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace

import pytest

from bundler.formats import authenticode as der
from bundler.formats import signature_form
from bundler.formats.powershell_signature import SignedScript, with_block
from tests.support.authenticode_material import ps1, signed, signing

WARNING = """
import sys, warnings
from bundler.cli import main
from bundler.trust import anchors
from cryptography.utils import CryptographyDeprecationWarning

def microsoft(real=anchors.microsoft):
    warnings.warn("an old form", CryptographyDeprecationWarning)
    return real()

anchors.microsoft = microsoft
main.run(sys.argv[1:])
"""


def with_certificate_zero() -> bytes:
    """A signed script that also carries a certificate with the serial number 0, of which cryptography warns."""
    pkcs7 = SignedScript(io.BytesIO(signed("ps1", signing()))).pkcs7
    found = der.read_signature(pkcs7)
    number = found.signers[0].serial.to_bytes(20, "big").lstrip(b"\0")
    zero = bytes(len(number))
    held = found.held[0].replace(number, zero, 1)
    return with_block(ps1(), signature_form.rewritten(replace(found, held=(*found.held, held))))


def test_a_certificate_with_an_old_form_gives_no_warning(tmp_path):
    script = tmp_path / "old.ps1"
    script.write_bytes(with_certificate_zero())
    command = [sys.executable, "-m", "bundler", "verify-file", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 6
    assert "REFUSED" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("filters", ["", "always"])
def test_any_warning_of_a_library_goes_to_the_log_alone(tmp_path, filters):
    script, log = tmp_path / "plain.ps1", tmp_path / "log"
    script.write_bytes(ps1())
    command = [sys.executable, *(["-W", filters] if filters else []), "-c", WARNING]
    command += ["verify-file", str(script), "--log-file", str(log)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (6, "")
    assert "a library warns: CryptographyDeprecationWarning: an old form" in log.read_text(encoding="utf-8")
