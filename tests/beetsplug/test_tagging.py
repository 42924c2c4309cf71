"""`beet tagpredict` as a person types it: what it shows, writes, learns and takes back."""

import hashlib
import json
import os
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from mediafile import MediaFile

from tests.beetsplug.conftest import Beet, make_beet

SURE = ("--threshold", "0")


def without_tags(path: Path) -> None:
    """Take out what is written: genre, tempo (0, as beets writes it) and key."""
    file = MediaFile(path)
    file.genres = None
    file.bpm = 0
    del file.initial_key
    file.save()


@pytest.fixture
def scene(tmp_path, tiny_weights, rendered_files) -> Beet:
    """beets over its own copies of a file of each format, heard; none has tempo or key, the first alone a genre."""
    beet = make_beet(tmp_path, tiny_weights)
    (tmp_path / "new").mkdir()
    for path in {path.suffix: path for path in rendered_files}.values():
        without_tags(Path(shutil.copy(path, tmp_path / "new")))
    assert beet("import", "-A", "-s", tmp_path / "new").returncode == 0
    assert beet("modify", "-yM", "id:1", "genres=Polka").returncode == 0
    assert beet("analyse").returncode == 0
    return beet


def in_beets(beet) -> list[str]:
    return beet("ls", "-f", "$genres", "id+").stdout.splitlines()


def paths(beet) -> list[Path]:
    return [Path(line) for line in beet("ls", "-p", "id+").stdout.splitlines()]


def in_files(beet) -> list[str]:
    return ["; ".join(MediaFile(path).genres or ()) for path in paths(beet)]


def heard_in_beets(beet) -> list[str]:
    return beet("ls", "-f", "$bpm|$initial_key", "id+").stdout.splitlines()


def heard_in_files(beet) -> list[str]:
    found = [MediaFile(path) for path in paths(beet)]
    return [f"{file.bpm or 0}|{file.initial_key or ''}" for file in found]


def contents(beet) -> list[str]:
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths(beet)]


def test_without_options_it_only_shows_what_would_happen(scene):
    before = contents(scene)
    result = scene("tagpredict", *SURE, "id+")
    assert "(has a genre)" in result.stdout.splitlines()[0]
    assert all("→" in line for line in result.stdout.splitlines()[1:])
    assert contents(scene) == before
    assert in_beets(scene) == ["Polka", *[""] * (len(before) - 1)]
    assert scene("tagpredict", *SURE, "-w", "-p").returncode == 0
    assert contents(scene) == before


def test_what_it_is_not_sure_of_it_leaves(scene):
    result = scene("tagpredict", "--threshold", "1", "-w")
    assert "(not sure enough)" in result.stdout
    assert in_beets(scene)[1:] == [""] * (len(paths(scene)) - 1)


def test_write_fills_what_is_empty_in_beets_and_in_the_files_alike(scene):
    result = scene("tagpredict", *SURE, "-w")
    assert result.returncode == 0, result.stderr
    assert f"{len(paths(scene)) - 1} tracks written" in result.stdout
    genres = in_beets(scene)
    assert genres[0] == "Polka"
    assert all(genres)
    assert in_files(scene) == genres
    assert scene("update", "-p").stdout == "", "beets and files agree"


def test_nowrite_leaves_the_files_alone(scene):
    before = contents(scene)
    assert scene("tagpredict", *SURE, "-W", "--apply").returncode == 0
    assert contents(scene) == before
    assert all(in_beets(scene))
    scene("tagpredict", "--undo", "last")
    assert in_beets(scene) == ["Polka", *[""] * (len(before) - 1)]


def test_apply_writes_files_if_import_write_says_so(scene):
    scene("tagpredict", *SURE, "--apply")
    assert in_files(scene) == in_beets(scene)


def test_extend_keeps_what_is_there_and_force_replaces_it(scene):
    scene("tagpredict", *SURE, "-w", "--extend", "-n", 2)
    first = in_beets(scene)[0]
    assert first.startswith("Polka; ")
    assert len(first.split("; ")) == 3
    scene("tagpredict", *SURE, "-w", "--force", "id:1")
    assert "Polka" not in in_beets(scene)[0]
    assert in_files(scene) == in_beets(scene)
    scene("tagpredict", "--undo", "since", "2020-01-01")
    assert in_beets(scene) == in_files(scene) == ["Polka", *[""] * (len(paths(scene)) - 1)]


def test_undo_by_query_gives_back_the_very_bytes(scene):
    before = contents(scene)
    scene("tagpredict", *SURE, "-w")
    assert scene("tagpredict", "--undo", "-p", "last").returncode == 0
    assert contents(scene) != before
    result = scene("tagpredict", "--undo", "id:2..99")
    assert result.returncode == 0, result.stderr
    assert contents(scene) == before
    assert scene("update", "-p").stdout == ""
    nothing = scene("tagpredict", "--undo", "last")
    assert nothing.returncode == 1
    assert "nothing to take back" in nothing.stderr


def test_a_file_that_cannot_be_written_is_named_and_the_others_go_on(scene):
    paths(scene)[1].chmod(0o444)
    result = scene("tagpredict", *SURE, "-w")
    assert "write-protected" in result.stderr
    assert in_beets(scene)[1] == ""
    assert all(in_beets(scene)[2:])
    assert in_files(scene) == in_beets(scene)


def test_json_says_what_would_be_written(scene):
    rows = json.loads(scene("tagpredict", *SURE, "--json", "id+").stdout)["results"]
    assert rows[0]["genres"] == ["Polka"]
    assert rows[0]["would_write"] is None
    assert rows[1]["would_write"] == [rows[1]["predicted"][0]["genre"]]
    assert 0 <= rows[1]["predicted"][0]["probability"] <= 1


def test_moods_voice_and_instruments_can_be_asked_for(scene, tmp_path):
    scene("tagpredict", "--apply", "-W")
    shown = scene("ls", "-f", "$id|$musrec_moods|$musrec_voice|$musrec_instruments", "id+").stdout.splitlines()
    mood = next((line.split("|") for line in shown if line.split("|")[1]), None)
    assert mood is not None, "an untrained encoder is sure of some mood for some track"
    number, moods = mood[:2]
    assert number in scene("ls", "-f", "$id", f"musrec_moods:{moods.split('; ')[0]}").stdout.split()


def test_a_genre_that_only_the_file_knows_is_shown(scene):
    path = paths(scene)[1]
    file = MediaFile(path)
    file.genres = ["Ländler"]
    file.save()
    [line] = scene("tagpredict", *SURE, "id:2").stdout.splitlines()
    assert "Ländler" in line
    assert "(has a genre)" in line


def test_to_forget_what_was_never_learnt_says_so(scene):
    assert "Nothing has been learnt" in scene("tagpredict", "--forget").stdout


def test_tempo_and_key_come_on_request_and_go_again(scene, tmp_path):
    with closing(sqlite3.connect(tmp_path / "musrec.db")) as connection, connection:
        sure = """UPDATE analyses SET bpm = 124.4, bpm_confidence = 0.9, "key" = 'C#m', key_confidence = 0.9"""
        connection.execute(sure)
    assert scene("modify", "-yM", "id:1", "bpm=90").returncode == 0
    before = contents(scene)
    [shown] = scene("tagpredict", "--tempo", "--key", "-n", 0, "id:2").stdout.splitlines()
    assert "(no genres wanted) 124 BPM, C#m" in shown
    written = scene("tagpredict", "--tempo", "--key", "-n", 0, "-w")
    assert written.returncode == 0, written.stderr
    n = len(before)
    lines = "$bpm|$initial_key|$musrec_bpm|$musrec_key|$musrec_camelot"
    fields = ["90|C#m|124.4|C#m|12A", *["124|C#m|124.4|C#m|12A"] * (n - 1)]
    assert scene("ls", "-f", lines, "id+").stdout.splitlines() == fields
    found = [(MediaFile(path).bpm, MediaFile(path).initial_key) for path in paths(scene)]
    assert found == [(90, "C#m"), *[(124, "C#m")] * (n - 1)]
    assert len(scene("ls", "musrec_bpm:120..126", "musrec_camelot:12A").stdout.splitlines()) == n
    assert scene("ls", "musrec_bpm:125..").stdout == ""
    assert in_beets(scene) == ["Polka", *[""] * (n - 1)]
    assert scene("update", "-p").stdout == ""
    assert scene("tagpredict", "--undo", "last").returncode == 0
    assert contents(scene) == before
    assert scene("ls", "-f", "$bpm|$initial_key", "id+").stdout.splitlines() == ["90|", *["0|"] * (n - 1)]
    assert scene("update", "-p").stdout == ""


def test_labels_are_listed_in_groups(scene):
    lines = scene("tagpredict", "--labels").stdout.splitlines()
    assert ["genre", "Hip", "Hop", "→", "Hip", "Hop"] in [line.split() for line in lines]
    assert {line.split()[0] for line in lines} == {"genre", "instrument", "voice", "mood"}


@pytest.mark.parametrize(
    ("options", "said"),
    [(("-e", "-f"), "either"), (("--learn", "--review"), "one at a time"), (("--picture", "x.png"), "--learn"),
     (("--threshold", 2), "0 to 1"), (("-n", -1), "at least 0"), (("--undo",), "what"),
     (("--undo", "since", "tomorrow"), "no date"), (("--review",), "learn your genres first"),
     (("--learn",), "no genre has at least")],
    ids=str,
)  # fmt: skip
def test_what_makes_no_sense_is_said_in_one_line(scene, options, said):
    result = scene("tagpredict", *options)
    assert result.returncode == 1
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_import_fills_empty_genres_before_beets_writes_the_files(tmp_path, tiny_weights, rendered_files):
    beet = make_beet(tmp_path, tiny_weights, auto=True, tagging="{write: fill, threshold: 0}")
    (tmp_path / "new").mkdir()
    for number, path in enumerate(rendered_files[:3]):
        copy = tmp_path / "new" / f"{number}{path.suffix}"
        shutil.copy(path, copy)
        file = MediaFile(copy)
        file.genres = ["Polka"] if number == 0 else None
        file.save()
    result = beet("import", "-A", "-s", tmp_path / "new")
    assert result.returncode == 0, result.stderr
    genres = in_beets(beet)
    assert sorted(genres) != sorted(["Polka", "", ""])
    assert genres.count("Polka") == 1
    assert all(genres)
    assert in_files(beet) == genres
    assert beet("update", "-p").stdout == ""
    taken = beet("tagpredict", "--undo", "last")
    assert "2 tracks taken back" in taken.stdout, taken.stderr
    assert sorted(in_beets(beet)) == ["", "", "Polka"]
    assert in_files(beet) == in_beets(beet)


RETAGGER = """
from beets.importer import Action
from beets.plugins import BeetsPlugin

class Retagger(BeetsPlugin):
    def __init__(self):
        super().__init__()
        self.register_listener("import_task_choice", lambda session, task: task.set_choice(Action.RETAG))
"""


def without_genres(folder: Path, sources: list[Path]) -> None:
    folder.mkdir()
    for number, source in enumerate(sources):
        copy = folder / f"{number}{source.suffix}"
        shutil.copy(source, copy)
        without_tags(copy)


@pytest.fixture
def retagging(tmp_path, tiny_weights, rendered_files):
    """Return a function that makes a beets which writes the tags of what it imports, and has three files to import."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "retagger.py").write_text(RETAGGER)
    without_genres(tmp_path / "new", rendered_files[:3])

    def make(more: str = "") -> Beet:
        beet = make_beet(
            tmp_path, tiny_weights, auto=True, tagging="{write: fill, threshold: 0, count: 2, tempo: yes, key: yes}",
            more=f"pluginpath: {tmp_path / 'plugins'}\n{more}",
        )  # fmt: skip
        config = tmp_path / "config.yaml"
        config.write_text(config.read_text().replace("plugins: musrec", "plugins: musrec retagger"))
        return beet

    return make


@pytest.mark.parametrize("more", ["", "id3v23: yes\n"])
def test_what_beets_writes_while_importing_is_journalled_as_the_files_say_it(retagging, tmp_path, more):
    beet = retagging(more)
    result = beet("import", "-s", tmp_path / "new")
    assert result.returncode == 0, result.stderr
    assert all(in_beets(beet))
    assert all(in_files(beet))
    assert heard_in_files(beet) == heard_in_beets(beet)
    assert any(line not in ("0|", "|") for line in heard_in_beets(beet))
    taken = beet("tagpredict", "--undo", "last")
    assert "3 tracks taken back" in taken.stdout, taken.stdout + taken.stderr
    assert in_files(beet) == in_beets(beet) == ["", "", ""]
    assert heard_in_files(beet) == heard_in_beets(beet) == ["0|"] * 3


def test_an_import_of_what_lies_in_its_place_already_ends_well(tmp_path, tiny_weights, rendered_files):
    beet = make_beet(tmp_path, tiny_weights, auto=True, tagging="{write: fill, threshold: 0}")
    (tmp_path / "music").mkdir()
    without_genres(tmp_path / "music" / "album", rendered_files[:2])
    assert beet("import", "-A", "-s", tmp_path / "music").returncode == 0
    result = beet("import", "-A", "-s", "-I", tmp_path / "music")
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    assert all(in_files(beet))


def test_files_outside_beets_directory_are_written_too(tmp_path, tiny_weights, rendered_files):
    beet = make_beet(tmp_path, tiny_weights, auto=True, tagging="{write: fill, threshold: 0, tempo: yes, key: yes}")
    config = tmp_path / "config.yaml"
    config.write_text(config.read_text().replace("copy: yes", "copy: no"))
    without_genres(tmp_path / "elsewhere", rendered_files[:2])
    assert beet("import", "-A", "-s", tmp_path / "elsewhere").returncode == 0
    assert all(in_files(beet))
    assert in_files(beet) == in_beets(beet)
    assert heard_in_files(beet) == heard_in_beets(beet) != ["0|", "0|"]


def test_what_another_program_changed_is_still_found_by_beets(scene):
    path = paths(scene)[1]
    file = MediaFile(path)
    file.title = "Edited elsewhere"
    file.save()
    os.utime(path, (2_000_000_000, 2_000_000_000))
    scene("tagpredict", *SURE, "-w")
    assert MediaFile(path).title == "Edited elsewhere"
    said = re.sub(r"\x1b\[[0-9;]*m", "", scene("update", "-p").stdout)
    assert "-> Edited elsewhere" in said


def test_our_own_guesses_are_not_learnt_from(scene):
    scene("tagpredict", *SURE, "-w", "-y")
    result = scene("tagpredict", "--learn")
    assert result.returncode == 1
    assert "Polka: 1 tracks by 1" in result.stderr


def test_own_genres_are_learnt_spoken_and_forgotten(tmp_path, tiny_weights, rendered_files):
    beet = make_beet(tmp_path, tiny_weights)
    (tmp_path / "new").mkdir()
    for number in range(24):
        source = rendered_files[number % 12]
        copy = Path(shutil.copy(source, tmp_path / "new" / f"{number:02d}{source.suffix}"))
        file = MediaFile(copy)
        file.genres = ["Polka" if number % 12 < 6 else "Waltz"]
        file.artist, file.title = f"artist {number % 12}", f"piece {number}"
        file.save()
    assert beet("import", "-A", "-s", tmp_path / "new").returncode == 0
    assert beet("analyse").returncode == 0
    learnt = beet("tagpredict", "--learn", "--picture", tmp_path / "confused.png")
    assert learnt.returncode == 0, learnt.stderr
    assert learnt.stdout.splitlines()[0].split()[:3] == ["Genre", "tracks", "artists"]
    assert (tmp_path / "confused.png").stat().st_size > 1000
    assert "Polka" in beet("tagpredict", "--labels").stdout
    rows = json.loads(beet("tagpredict", "--json", "id:1").stdout)["results"]
    assert {"Polka", "Waltz"} <= {each["genre"] for each in rows[0]["predicted"]}
    assert beet("tagpredict", "--review").returncode == 0
    assert beet("tagpredict", "--forget").returncode == 0
    rows = json.loads(beet("tagpredict", "--json", "id:1").stdout)["results"]
    assert not {"Polka", "Waltz"} & {each["genre"] for each in rows[0]["predicted"]}


def test_import_writes_nothing_unless_it_is_configured(tmp_path, tiny_weights, rendered_files):
    beet = make_beet(tmp_path, tiny_weights, auto=True)
    (tmp_path / "new").mkdir()
    copy = Path(shutil.copy(rendered_files[0], tmp_path / "new"))
    file = MediaFile(copy)
    file.genres = None
    file.save()
    assert beet("import", "-A", tmp_path / "new").returncode == 0
    assert in_beets(beet) == [""]
