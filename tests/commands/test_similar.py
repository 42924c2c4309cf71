"""`musrecd similar`: files in the library, files outside, words."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from musrecd.daemon import client
from musrecd.errors import MusrecError, NotAudioError


@pytest.fixture
def scanned(knowing):
    return knowing


def paths(result) -> list[str]:
    return [found["path"] for found in json.loads(result.output)["results"]]


def test_best_first_and_never_the_seed(scanned, rendered_files):
    seed = str(rendered_files[0])
    answer = json.loads(scanned("similar", seed, "--json", "-n", 100).output)
    scores = [found["score"] for found in answer["results"]]
    assert scores == sorted(scores, reverse=True)
    assert sorted(found["path"] for found in answer["results"]) == [str(p) for p in rendered_files[1:]]


def test_a_file_from_outside_answers_as_it_does_inside_and_is_not_stored(scanned, rendered_files, tmp_path):
    seed = rendered_files[0]
    outside = tmp_path / f"unknown{seed.suffix}"
    shutil.copy(seed, outside)
    assert paths(scanned("similar", outside, "--json")) == paths(scanned("similar", seed, "--json"))
    assert json.loads(scanned("status", "--json").output)["files"] == len(rendered_files)
    scanned("similar", outside, "--store")
    assert json.loads(scanned("status", "--json").output)["files"] == len(rendered_files) + 1


def test_words_find_seeds_in_tags(scanned, rendered_files):
    artist = json.loads(scanned("similar", rendered_files[0], "--json", "-n", 1).output)["results"][0]["artist"]
    answer = json.loads(scanned("similar", artist.upper(), "--json").output)
    assert all(seed.startswith(artist) for seed in answer["seeds"])


def test_a_copy_of_the_seed_is_left_out(scanned, rendered_files, rendered, tmp_path):
    copy = tmp_path / f"copy{rendered_files[0].suffix}"
    shutil.copy(rendered_files[0], copy)
    scanned("scan", tmp_path)
    assert str(copy) not in paths(scanned("similar", rendered_files[0], "--json", "-n", 100))


def test_number_and_least_score_are_kept(scanned, rendered_files):
    assert len(paths(scanned("similar", rendered_files[0], "--json", "-n", 3))) == 3
    assert paths(scanned("similar", rendered_files[0], "--json", "--min-score", 1)) == []
    assert "Nothing else" in scanned("similar", rendered_files[0], "--min-score", 1).output


def test_the_table_names_seed_and_tracks(scanned, rendered_files):
    result = scanned("similar", rendered_files[0], "-n", 4)
    lines = result.output.splitlines()
    assert lines[0].startswith("Sounds like ")
    assert lines[1].split() == ["Score", "Artist", "Title", "Length", "BPM", "Key", "Sounds", "like"]
    assert len(lines) == 6


def test_explanations_tell_which_part_is_close(scanned, rendered_files, tmp_path):
    seed = rendered_files[0]
    result = scanned("similar", seed, "-n", 4, "--explain")
    # The pieces are six seconds long and are heard whole.
    assert result.output.count("\n  closest: its 0:00–0:06 to 0:00–0:06 of what was asked about, ") == 4
    assert "closest" not in scanned("similar", seed, "-n", 4).output
    inside = json.loads(scanned("similar", seed, "--json", "-n", 2).output)["results"]
    outside = shutil.copy(seed, tmp_path / f"unknown{seed.suffix}")
    others = json.loads(scanned("similar", outside, "--json", "-n", 2).output)["results"]
    for one, other in zip(inside, others, strict=True):
        assert one["why"]["closest"]["span_s"] == [0.0, pytest.approx(6, abs=0.1)]
        # One chunk is all there is, so that it is as close as the track.
        assert one["why"]["closest"]["sound"] == pytest.approx(one["sound"], abs=0.02)
        assert other["why"]["closest"]["sound"] == pytest.approx(one["why"]["closest"]["sound"], abs=0.02)


def test_of_several_seeds_the_close_one_is_named(scanned, rendered_files):
    two = json.loads(scanned("similar", *rendered_files[:2], "--json", "-n", 3).output)
    titles = [seed.partition(" - ")[2] for seed in two["seeds"]]
    assert all(titles)
    assert {found["why"]["closest"]["seed"] for found in two["results"]} <= set(titles)
    way = scanned("similar", rendered_files[0], "--to", rendered_files[1], "-n", 2, "--explain").output
    assert "of the track before, " in way


def test_what_was_heard_before_chunks_were_kept_is_explained_without(scanned, rendered_files, tmp_path):
    with sqlite3.connect(tmp_path / "library.db") as connection:
        connection.execute("DELETE FROM chunks")
    result = scanned("similar", rendered_files[0], "-n", 4, "--explain")
    assert "alike" in result.output
    assert "closest" not in result.output
    found = json.loads(scanned("similar", rendered_files[0], "--json", "-n", 1).output)["results"][0]
    assert "closest" not in found["why"]


def test_nobody_reads_chunks_unless_asked_to_explain(scanned, rendered_files, monkeypatch):
    def read(*_):
        pytest.fail("chunks were read")

    monkeypatch.setattr("musrecd.library.reader.LibraryReader.chunks", read)
    assert scanned("similar", rendered_files[0], "-n", 4, "--preset", "mix").exit_code == 0
    with pytest.raises(pytest.fail.Exception):
        scanned("similar", rendered_files[0], "-n", 4, "--explain")


def test_paths_alone_for_other_programs(scanned, rendered_files):
    result = scanned("similar", rendered_files[0], "-p", "-n", 2)
    assert [os.path.exists(line) for line in result.output.splitlines()] == [True, True]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["zzz qqq"], "musrecd: 'zzz qqq' is neither a file nor in the path"),
        (["/etc"], "musrecd: /etc: is a folder"),
        (["/etc/hostname"], "musrecd: /etc/hostname: not a format"),
    ],
)
def test_what_cannot_be_answered_is_told_in_one_line(scanned, arguments, line):
    result = scanned("similar", *arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith(line)
    assert len(result.stderr.splitlines()) == 1


def test_an_empty_or_missing_library_says_what_to_do(musrecd):
    result = musrecd("similar", "anything")
    assert result.exit_code == 1
    assert "musrecd scan FOLDER" in result.stderr


def test_another_encoder_than_the_librarys_is_refused_for_files_outside(
    scanned, make_weights, tmp_path, rendered_files
):
    weights = make_weights(tmp_path / "other.safetensors", version="tiny-2", seed=1)
    (tmp_path / "config.yaml").write_text(f"musrec: {{library: {tmp_path / 'library.db'}, encoder: {weights}}}\n")
    outside = tmp_path / f"unknown{rendered_files[0].suffix}"
    shutil.copy(rendered_files[0], outside)
    result = scanned("similar", outside)
    assert result.exit_code == 1
    assert "run `musrecd scan FOLDER`" in result.stderr
    assert scanned("similar", rendered_files[0]).exit_code == 0


def test_a_damaged_analysis_names_the_file_and_what_helps(scanned, rendered_files, tmp_path):
    with sqlite3.connect(tmp_path / "library.db") as connection:
        connection.execute("UPDATE outputs SET probabilities = zeroblob(length(probabilities))")
    connection.close()
    result = scanned("similar", rendered_files[0])
    assert result.exit_code == 1
    assert "is damaged; `musrecd scan --force` with that file" in result.stderr


def test_a_damaged_neighbour_is_shown_without_a_genre_and_heard_again(scanned, rendered_files, tmp_path):
    neighbour = paths(scanned("similar", rendered_files[0], "--json"))[0]
    with sqlite3.connect(tmp_path / "library.db") as connection:
        connection.execute(
            "UPDATE outputs SET probabilities = zeroblob(length(probabilities)) WHERE id % 4294967296 ="
            ' (SELECT "row" FROM analyses JOIN files USING (recording_id) WHERE path = ?)',
            [os.fsencode(neighbour)],
        )
    connection.close()
    found = json.loads(scanned("similar", rendered_files[0], "-n", 100, "--json").output)["results"]
    genres = {result["path"]: result["genre"] for result in found}
    assert genres.pop(neighbour) == ""
    assert len(genres) == len(rendered_files) - 2
    assert all(genres.values())
    assert scanned("similar", rendered_files[0]).exit_code == 0
    with sqlite3.connect(tmp_path / "library.db") as connection:
        assert connection.execute("SELECT path FROM jobs").fetchall() == [(os.fsencode(neighbour),)]
    connection.close()


def test_a_title_that_the_terminal_cannot_show_is_escaped(tmp_path, tiny_weights, rendered_files):
    config = tmp_path / "config.yaml"
    config.write_text(f"musrec: {{library: {tmp_path / 'library.db'}, encoder: {tiny_weights}}}\n")
    copy = tmp_path / f"tïtle…{rendered_files[0].suffix}"
    shutil.copy(rendered_files[0], copy)
    code = "import sys; from musrecd.cli import main; main(sys.argv[1:])"
    run = [sys.executable, "-c", code, "--config", config]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    subprocess.run([*run, "scan", copy, rendered_files[1]], env=environment, check=True, capture_output=True)
    shown = subprocess.run([*run, "similar", copy], env=environment, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr


@pytest.fixture
def outside(tmp_path, rendered_files):
    path = tmp_path / f"outside{rendered_files[0].suffix}"
    shutil.copy(rendered_files[0], path)
    return path


def test_a_daemon_with_this_encoder_is_asked(scanned, outside, monkeypatch):
    asked = []

    def hear(_library, path, version):
        asked.append((path, version))
        raise NotAudioError("said by the daemon")

    monkeypatch.setattr(client, "hear", hear)
    result = scanned("similar", outside)
    assert asked == [(bytes(outside), "tiny-1")]
    assert result.stderr == f"musrecd: {outside}: said by the daemon\n"


@pytest.mark.parametrize("kind", ["none", "other encoder", "ending"])
def test_a_daemon_that_is_no_help_changes_nothing(scanned, outside, rendered_files, monkeypatch, kind):
    arrays = {"embedding": [1.0] * 32, "probabilities": [1.0] * 11}
    other = {"audio_id": "ab" * 20, "encoder_version": "tiny-0", "duration_s": 1.0, **arrays}

    def ask(*_args, **_options):
        if kind == "ending":
            raise MusrecError("the daemon is ending")
        return {"analysis": other} if kind == "other encoder" else None

    monkeypatch.setattr(client, "ask", ask)
    assert paths(scanned("similar", outside, "--json")) == paths(scanned("similar", rendered_files[0], "--json"))
