"""Sources of the password of a 7z; no error shows any of it."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from bundler.cli.console import Console
from bundler.cli.options import password_source
from bundler.errors import UsageError


def console(**environment: str) -> Console:
    return Console(
        format="text", quiet=True, verbose=0, progress=False, now=datetime.now(timezone.utc), environment=environment
    )


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_file_goes_before_the_variable_and_its_line_end_is_no_part(tmp_path, end):
    file = tmp_path / "password"
    file.write_bytes(" sécret ".encode() + end)
    assert password_source(console(ARC_BUNDLER_PASSWORD="other"), file)() == " sécret "


def test_the_variable_does_without_a_file():
    assert password_source(console(ARC_BUNDLER_PASSWORD="secret"), None)() == "secret"


def test_a_file_that_is_no_text_is_refused_without_showing_its_bytes(tmp_path):
    file = tmp_path / "password"
    file.write_bytes(b"s3cret\xff")
    with pytest.raises(UsageError) as refused:
        password_source(console(), file)()
    assert "UTF-8" in refused.value.what
    assert "0xff" not in refused.value.what
    assert refused.value.__cause__ is None


def test_a_missing_file_is_reported_without_error_numbers(tmp_path):
    with pytest.raises(UsageError, match="cannot be read") as refused:
        password_source(console(), tmp_path / "nowhere")()
    assert "Errno" not in refused.value.what
