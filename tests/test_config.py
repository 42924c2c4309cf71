"""One validated configuration: every key, every mistake in one line that names the key."""

import json
import os
import re
from pathlib import Path

import confuse
import pytest
import yaml

from musrecd.config import (
    Config,
    DaemonConfig,
    TaggingConfig,
    VocabularyConfig,
    available_cores,
    default_library,
    from_view,
    read_config,
)
from musrecd.errors import ConfigError

PROJECT = Path(__file__).parents[1]
KEYS = {
    "library", "encoder", "folders", "threads", "timeout", "auto", "number", "min_score", "preset", "weights", "genres",
    "tagging", "daemon", "playlists", "mpd", "analysis", "cluster",
}  # fmt: skip
TAGGING_KEYS = {
    "write", "threshold", "count", "whitelist", "aliases", "canonical", "prefer_specific", "title_case", "hard_links",
    "keep_mtime", "moods", "tempo", "key",
}  # fmt: skip
TABLES = ("analysis", "cluster", "tagging", "daemon", "playlists", "mpd")


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a configuration file and gives its path."""

    def written(text: str) -> Path:
        path = tmp_path / "config.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


@pytest.fixture
def read(write):
    """Return a function: the lines of the `musrec:` section → Config."""

    def config(*lines: str) -> Config:
        return read_config(write("musrec:\n" + "".join(f"  {line}\n" for line in lines or ("{}",))))

    return config


def refused(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    line = str(caught.value)
    assert "\n" not in line
    assert line.strip()
    return line


def test_nothing_said_means_the_defaults(read):
    config = read("threads: 0")
    assert config == Config(
        library=default_library(),
        encoder=None,
        folders=(),
        threads=available_cores(),
        timeout_s=120.0,
        auto=True,
        number=10,
        min_score=-1.0,
        preset="listen",
        weights={},
        genres=3,
        tagging=TaggingConfig(
            write="no",
            threshold=0.74,
            hard_links="refuse",
            keep_mtime=False,
            moods=False,
            tempo=False,
            key=False,
            vocabulary=VocabularyConfig(
                whitelist=True,
                aliases=True,
                canonical=False,
                prefer_specific=False,
                title_case=True,
                count=1,
                ignored={},
            ),
        ),
        daemon=DaemonConfig(settle_s=4.0, rescan_minutes=60.0, poll_minutes=5.0, backups=3, levels={}),
    )


def test_without_a_file_of_ones_own_the_defaults_count(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    config = read_config()
    assert config.number == 10
    assert config.library == default_library()


def test_a_file_of_ones_own_is_found(monkeypatch, tmp_path):
    monkeypatch.setattr("platformdirs.user_config_path", lambda name: tmp_path / name)
    (tmp_path / "musrec").mkdir()
    (tmp_path / "musrec" / "config.yaml").write_text("musrec:\n  number: 7\n")
    assert read_config().number == 7


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("threads: 3", "threads", 3),
        ("timeout: 12.5", "timeout_s", 12.5),
        ("timeout: 30", "timeout_s", 30.0),
        ("auto: no", "auto", False),
        ("auto: true", "auto", True),
        ("number: 100000", "number", 100_000),
        ("min_score: 0.75", "min_score", 0.75),
        ("min_score: -1", "min_score", -1.0),
        ("preset: mix", "preset", "mix"),
        ("weights: {tempo: 2, key: 0}", "weights", {"tempo": 2.0, "key": 0.0}),
        ("genres: 1", "genres", 1),
        ("library: /music/our library.db", "library", Path("/music/our library.db")),
        ("encoder: /weights/own.safetensors", "encoder", Path("/weights/own.safetensors")),
        ("folders: [/music, /more music]", "folders", (Path("/music"), Path("/more music"))),
        ("folders: []", "folders", ()),
        ("daemon: {settle: 1.5}", "daemon", DaemonConfig(1.5, 60.0, 5.0, 3, {})),
        ("daemon: {rescan: 5, poll: 1}", "daemon", DaemonConfig(4.0, 5.0, 1.0, 3, {})),
        (
            "daemon: {backups: 0, log: {watcher: debug}}",
            "daemon",
            DaemonConfig(4.0, 60.0, 5.0, 0, {"watcher": "debug"}),
        ),
        ("daemon: {}", "daemon", DaemonConfig(4.0, 60.0, 5.0, 3, {})),
        ("analysis: {}", "coverage", "windows"),
        ("analysis: {coverage: full}", "coverage", "full"),
        ("tagging: {}", "tagging", TaggingConfig()),
        ("tagging: {write: no}", "tagging", TaggingConfig()),
        ("tagging: {write: fill}", "tagging", TaggingConfig(write="fill")),
        ("tagging: {write: extend, threshold: 1}", "tagging", TaggingConfig(write="extend", threshold=1.0)),
        ("tagging: {hard_links: break}", "tagging", TaggingConfig(hard_links="break")),
        ("tagging: {keep_mtime: yes, moods: yes}", "tagging", TaggingConfig(keep_mtime=True, moods=True)),
        ("tagging: {count: 3}", "tagging", TaggingConfig(vocabulary=VocabularyConfig(count=3))),
        (
            "tagging: {title_case: no, prefer_specific: yes}",
            "tagging",
            TaggingConfig(vocabulary=VocabularyConfig(title_case=False, prefer_specific=True)),
        ),
        (
            "tagging: {whitelist: /my genres.txt, canonical: /tree.yaml, aliases: no}",
            "tagging",
            TaggingConfig(
                vocabulary=VocabularyConfig(
                    whitelist=Path("/my genres.txt"), canonical=Path("/tree.yaml"), aliases=False
                )
            ),
        ),
        (
            "tagging: {whitelist: [Hip-Hop, EDM], canonical: yes, aliases: {80s: eighties, R&B: [rnb, r.b]}}",
            "tagging",
            TaggingConfig(
                vocabulary=VocabularyConfig(
                    whitelist=("Hip-Hop", "EDM"), canonical=True, aliases={"80s": ("eighties",), "R&B": ("rnb", "r.b")}
                )
            ),
        ),
    ],
)
def test_every_key_is_read(read, line, field, value):
    assert getattr(read(line), field) == value


def test_every_key_is_tried_above(read):
    """So that a new key cannot go untested."""
    assert set(Config._fields) == {{"timeout": "timeout_s", "analysis": "coverage"}.get(key, key) for key in KEYS}


def test_relative_names_are_taken_from_the_folder_of_the_file(read, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    config = read("library: data/library.db", "encoder: own.safetensors", "folders: [music, ../more]")
    assert config.library == tmp_path / "data" / "library.db"
    assert config.encoder == tmp_path / "own.safetensors"
    assert [Path(os.path.normpath(folder)) for folder in config.folders] == [
        tmp_path / "music",
        tmp_path.parent / "more",
    ]
    assert not (tmp_path / "home").exists(), "reading a configuration must not make folders"


def test_files_of_words_are_taken_from_there_too(read, tmp_path):
    vocabulary = read("tagging: {whitelist: genres.txt, canonical: lists/tree.yaml}").tagging.vocabulary
    assert vocabulary.whitelist == tmp_path / "genres.txt"
    assert vocabulary.canonical == tmp_path / "lists" / "tree.yaml"


@pytest.mark.parametrize("key", sorted(TAGGING_KEYS))
def test_a_key_of_tagging_without_a_value_is_refused_and_named(write, key):
    assert f"tagging.{key}" in refused(write(f"musrec:\n  tagging:\n    {key}:\n"))


def test_a_tilde_is_the_home_of_the_person(read, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    config = read("library: ~/library.db", "folders: [~/Music]")
    assert config.library == tmp_path / "library.db"
    assert config.folders == (tmp_path / "Music",)


@pytest.mark.parametrize("line", ["nubmer: 3", "Number: 3", "7: 3", "~: 3", "min-score: 0.5", "timeout_s: 3"])
def test_an_unknown_key_is_named_and_the_known_ones_are_listed(write, line):
    message = refused(write(f"musrec:\n  {line}\n"))
    assert "unknown key musrec." in message
    assert all(key in message for key in KEYS)


@pytest.mark.parametrize(
    "line",
    [
        "threads: -1", "threads: 257", "threads: 1.5", "threads: yes", "threads: '2'", "threads: many", "threads: []",
        "timeout: 0", "timeout: -5", "timeout: 86401", "timeout: .nan", "timeout: .inf", "timeout: soon",
        "auto: 1", "auto: maybe", "auto: []", "auto: 'yes'",
        "number: 0", "number: 100001", "number: 3.5", "number: true", "number: ten",
        "min_score: -1.1", "min_score: 1.01", "min_score: .nan", "min_score: high", "min_score: {}",
        "preset: dance", "preset: yes", "weights: {sound: -1}", "weights: {loudness: 1}", "weights: {key: .nan}",
        "genres: 0", "genres: 101", "genres: none",
        "library: [a, b]", "library: 7", "library: {a: b}", "encoder: [x]", "encoder: yes",
        "folders: {a: b}", "folders: [1, 2]", "folders: 7",
        "daemon: 3", "daemon: []", "daemon: {settle: 0}", "daemon: {settle: soon}", "daemon: {nap: 3}",
        "daemon: {rescan: 0}", "daemon: {poll: -1}", "daemon: {backups: 1.5}", "daemon: {log: debug}",
        "daemon: {log: {watcher: loud}}", "daemon: {log: {cooker: debug}}",
        "analysis: 3", "analysis: {coverage: whole}", "analysis: {coverage: no}", "analysis: {windows: 6}",
        "tagging: 3", "tagging: []", "tagging: {write: replace}", "tagging: {write: yes}", "tagging: {write: []}",
        "tagging: {threshold: 74}", "tagging: {threshold: .nan}", "tagging: {count: 0}", "tagging: {genres: 3}",
        "tagging: {whitelist: []}", "tagging: {whitelist: [1]}", "tagging: {whitelist: {a: b}}",
        "tagging: {aliases: words.yaml}", "tagging: {aliases: [a]}", "tagging: {aliases: {a: [1]}}",
        "tagging: {aliases: {a: '('}}", "tagging: {aliases: {a: 'a{99999999999}'}}", "tagging: {aliases: {a: }}",
        "tagging: {canonical: [a]}", "tagging: {canonical: ''}", "tagging: {prefer_specific: 1}",
        "tagging: {title_case: T}", "tagging: {hard_links: no}", "tagging: {keep_mtime: 0}", "tagging: {moods: all}",
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_one_line_that_names_the_key(write, line):
    assert line.partition(":")[0] in refused(write(f"musrec:\n  {line}\n"))


@pytest.mark.parametrize("key", ["threads", "timeout", "auto", "number", "min_score", "genres"])
def test_a_key_without_a_value_is_refused_and_named(write, key):
    assert key in refused(write(f"musrec:\n  {key}:\n"))


@pytest.mark.parametrize(
    "text",
    ["musrec: [", "musrec:\n\t- x", "{", "a: b: c", "musrec: \x00", "musrec: *nowhere", "%YAML 9"],
)
def test_what_is_not_yaml_is_refused_and_the_file_is_named(write, text):
    assert "config.yaml" in refused(write(text))


@pytest.mark.parametrize("raw", [b"musrec:\n  library: caf\xe9\n", b"\xff\xfe\x00\xd8", bytes(range(256))])
def test_bytes_that_are_no_text_are_refused(tmp_path, raw):
    (tmp_path / "config.yaml").write_bytes(raw)
    refused(tmp_path / "config.yaml")


@pytest.mark.parametrize("text", ["", "# nothing\n", "other:\n  number: 3\n", "number: 3\n"])
def test_a_file_without_our_section_says_so(write, text):
    message = refused(write(text))
    assert "no section `musrec:`" in message
    assert "config.yaml" in message


@pytest.mark.parametrize("text", ["musrec: 3\n", "musrec: words\n", "musrec: [number]\n", "[1, 2]\n", "words\n"])
def test_a_section_that_is_no_table_is_refused(write, text):
    refused(write(text))


def test_a_file_that_is_not_there_or_is_a_folder_is_refused(tmp_path):
    assert "missing.yaml" in refused(tmp_path / "missing.yaml")
    refused(tmp_path)


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system ['touch {marker}']",
        "!!python/object/new:os.system ['touch {marker}']",
        "!!python/name:os.system",
        "!!python/object/apply:subprocess.check_output [['touch', '{marker}']]",
        "!custom x",
    ],
)
def test_objects_in_yaml_are_refused_and_nothing_is_executed(write, tmp_path, tag):
    marker = tmp_path / "executed"
    refused(write(f"musrec:\n  library: {tag.format(marker=marker)}\n"))
    assert not marker.exists()


def test_the_section_may_stand_among_those_of_other_programs(write):
    assert read_config(write("directory: /music\nplugins: [musrec]\nmusrec:\n  number: 4\n")).number == 4


def test_a_section_of_beets_is_read_in_the_same_way():
    """beets gives its own configuration object, with values set in code."""
    configuration = confuse.Configuration("beets-test", read=False)
    configuration["musrec"].add({"number": 5, "folders": ["/music"]})
    config = from_view(configuration["musrec"])
    assert (config.number, config.folders) == (5, (Path("/music"),))


def documented() -> dict[str, str]:
    """Keys and values of config.example.yaml, also of those that are commented out."""
    text = (PROJECT / "config.example.yaml").read_text(encoding="utf-8")
    keys = dict(re.findall(r"^  (?:# )?([a-z_]+): (\S.*)$", text, re.MULTILINE))
    return keys | {table: f"{{{', '.join(documented_in(text, table))}}}" for table in TABLES}


def documented_in(text: str, table: str) -> list[str]:
    """Lines `key: value` of a table inside the section."""
    (lines,) = re.findall(rf"^  {table}:\n((?:    .*\n|\n)+)", text, re.MULTILINE)
    return re.findall(r"^    ([a-z_]+: \S.*)$", lines, re.MULTILINE)


def test_the_example_documents_exactly_the_keys_that_there_are():
    assert set(documented()) == KEYS


def test_the_example_documents_every_key_of_a_table():
    text = (PROJECT / "config.example.yaml").read_text(encoding="utf-8")
    assert {line.partition(":")[0] for line in documented_in(text, "tagging")} == TAGGING_KEYS


def test_the_example_shows_the_defaults_but_writes_genres(read):
    """Without configuration nothing is written; whoever copies the example has read what it says."""
    values = {key: yaml.safe_load(value) for key, value in documented().items() if key not in {"library", "encoder"}}
    section = [f"{key}: {json.dumps(value)}" for key, value in values.items()]
    default = read("threads: 0")
    expected = default._replace(tagging=default.tagging._replace(write="fill"))
    assert read(*section) == expected
    assert read_config(PROJECT / "config.example.yaml") == expected


def test_the_example_still_loads_with_every_line_switched_on(write):
    text = (PROJECT / "config.example.yaml").read_text(encoding="utf-8")
    switched_on = re.sub(r"^  # ([a-z_]+: \S+)$", r"  \1", text, flags=re.MULTILINE)
    assert switched_on != text
    config = read_config(write(switched_on))
    assert config.encoder is not None
