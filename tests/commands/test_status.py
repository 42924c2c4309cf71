"""`musrecd status`: a page for people, JSON for programs."""

import json


def test_counts_files_failures_and_encoders(musrecd, rendered, rendered_files, tmp_path):
    (tmp_path / "bad.mp3").write_bytes(b"no music")
    musrecd("scan", rendered, tmp_path)
    state = json.loads(musrecd("status", "--json").output)
    assert state["files"] == state["recordings"] == len(rendered_files)
    assert state["analysed"] == {"tiny-1": len(rendered_files)}
    assert state["answering_encoder"] == state["encoder"] == "tiny-1"
    assert state["failures_by_reason"] == {"not audio": 1}
    assert state["failures"][0]["path"] == str(tmp_path / "bad.mp3")
    page = musrecd("status").output
    assert "12 by tiny-1 (in use)" in page
    assert "1 not audio" in page
    assert str(tmp_path / "bad.mp3") in page


def test_without_a_library_it_says_how_to_make_one(musrecd):
    result = musrecd("status")
    assert result.exit_code == 1
    assert "musrecd scan FOLDER" in result.stderr
