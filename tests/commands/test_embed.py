"""`musrecd embed`: the contract that other programs measure with."""

import os
import shutil

import numpy as np


def test_arrays_names_shapes_and_units(musrecd, rendered, rendered_files, tmp_path):
    result = musrecd("embed", rendered, "--output", tmp_path / "out.npz")
    assert result.exit_code == 0
    assert result.stderr == f"Wrote {len(rendered_files)} tracks to {tmp_path}/out.npz\n"
    with np.load(tmp_path / "out.npz", allow_pickle=False) as arrays:
        n = len(rendered_files)
        assert sorted(arrays["paths"]) == sorted(map(str, rendered_files))
        assert arrays["embeddings"].shape == (n, 32)
        assert arrays["embeddings"].dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(arrays["embeddings"], axis=1), 1, atol=1e-5)
        assert arrays["probabilities"].shape == (n, len(arrays["label_names"]))
        assert ((arrays["probabilities"] >= 0) & (arrays["probabilities"] <= 1)).all()
        for name in ("bpm", "bpm_confidence", "key", "key_confidence", "duration_s"):
            assert arrays[name].shape == (n,), name
        np.testing.assert_allclose(arrays["duration_s"], 6, atol=0.2)
        assert str(arrays["encoder_version"]) == "tiny-1"


def test_order_and_names_are_those_given_and_failures_have_no_row(musrecd, rendered_files, tmp_path, monkeypatch):
    monkeypatch.chdir(rendered_files[0].parent)
    (tmp_path / "bad.mp3").write_bytes(b"no music")
    named = [str(rendered_files[3]), rendered_files[0].name, str(rendered_files[1])]
    result = musrecd("embed", *named, tmp_path / "bad.mp3", "-o", tmp_path / "out.npz")
    assert result.exit_code == 1
    assert f"{tmp_path}/bad.mp3: not a format" in result.stderr
    assert ", 1 failed" in result.stderr
    with np.load(tmp_path / "out.npz") as arrays:
        assert list(arrays["paths"]) == named


def test_names_that_are_no_text_survive(musrecd, rendered_files, tmp_path):
    odd = os.fsencode(tmp_path) + b"/caf\xe9.wav"
    source = next(path for path in rendered_files if path.suffix == ".wav")
    with open(odd, "wb") as file:
        file.write(source.read_bytes())
    musrecd("embed", tmp_path, "-o", tmp_path / "out.npz")
    with np.load(tmp_path / "out.npz") as arrays:
        assert [os.fsencode(path) for path in arrays["paths"].tolist()] == [odd]


def test_an_output_that_cannot_be_written_is_told_in_one_line_before_the_work(musrecd, rendered_files, tmp_path):
    result = musrecd("embed", rendered_files[0], "-o", tmp_path / "no" / "folder.npz")
    assert result.exit_code == 1
    assert result.stderr == f"musrecd: {tmp_path}/no/folder.npz cannot be written: there is no folder {tmp_path}/no\n"


def test_a_music_file_is_never_taken_for_the_output(musrecd, rendered_files, tmp_path):
    precious = tmp_path / f"precious{rendered_files[0].suffix}"
    shutil.copy(rendered_files[0], precious)
    result = musrecd("embed", "-o", precious, rendered_files[1])
    assert result.exit_code == 1
    assert "has to be called something.npz" in result.stderr
    assert precious.read_bytes() == rendered_files[0].read_bytes()
