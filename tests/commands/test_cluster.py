"""`musrecd worker` and `musrecd scan --scheduler`: what is wrong is told in one line. The rest is in tests/cluster."""

import pytest


@pytest.mark.parametrize("command", [("worker",), ("scan", ".", "--scheduler")])
@pytest.mark.parametrize("address", ["nonsense", "http://nas:8786", ""])
def test_what_is_no_address_is_told_in_one_line(musrecd, tmp_path, monkeypatch, command, address):
    monkeypatch.chdir(tmp_path)
    result = musrecd(*command, address)
    assert result.exit_code == 1
    assert f"musrecd: {address!r} is no address of a scheduler, like tcp://host:8786" in result.stderr.splitlines()
