"""What is finished is known again: after a kill, and only for the run that it belongs to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hrnet_plugin.errors import ConfigError, DataError
from hrnet_plugin.inference.journal import Journal, entry
from hrnet_plugin.inference.output import Output, stems_of
from hrnet_plugin.inference.plan import plan_run
from hrnet_plugin.inference.sources import Source

RUN = {"network": "small", "runtime": "torch"}


@pytest.fixture
def sources(tmp_path: Path) -> list[Source]:
    """Five files."""
    for index in range(5):
        (tmp_path / f"{index}.jpg").write_text(f"image {index}")
    return [Source(tmp_path / f"{index}.jpg", f"{index}.jpg") for index in range(5)]


@pytest.fixture
def output(tmp_path: Path) -> Output:
    return Output(tmp_path / "out")


def record(source: Source, **more: object) -> dict:
    return entry(source, **{"files": {}, "persons": [], **more})


def filled(output: Output, sources: list[Source]) -> None:
    with Journal(output, RUN) as journal:
        for source in sources:
            journal.append([record(source)])


def test_what_is_finished_is_found_again(output, sources):
    filled(output, sources[:2])
    with Journal(output, RUN) as journal:
        assert len(journal) == 2
        assert journal.find(sources[0]) == record(sources[0])
        assert journal.find(sources[2]) is None
        sources[0].path.write_text("another image")
        assert journal.find(sources[0]) is None
        journal.append([record(sources[0], again=True)])
        assert journal.find(sources[0])["again"]
        assert [one["name"] for one in journal.records(["1.jpg", "4.jpg", "0.jpg"])] == ["1.jpg", "0.jpg"]


@pytest.mark.parametrize("left", [0.02, 0.5, 0.99])
def test_a_line_that_was_cut_off_is_taken_away(left, output, sources):
    filled(output, sources[:3])
    whole = output.journal.read_bytes()
    lines = whole.splitlines(keepends=True)
    output.journal.write_bytes(b"".join(lines[:-1]) + lines[-1][: int(left * len(lines[-1]))])
    with Journal(output, RUN) as journal:
        assert [journal.find(source) is not None for source in sources] == [True, True, False, False, False]
        journal.append([record(sources[2])])
    assert output.journal.read_bytes() == whole


@pytest.mark.parametrize("line", [b'{"name": "1.jpg", "inp', b"\0" * 30, b"[]", b"{}"])
def test_a_broken_line_in_the_middle_is_told(line, output, sources):
    filled(output, sources[:3])
    lines = output.journal.read_bytes().splitlines()
    output.journal.write_bytes(b"\n".join([*lines[:2], line, lines[3]]) + b"\n")
    with pytest.raises(DataError, match=r"journal .*journal\.jsonl: found line 3 that is broken.*--overwrite"):
        Journal(output, RUN)
    with Journal(output, RUN, overwrite=True) as journal:
        assert len(journal) == 0


@pytest.mark.parametrize("content", [b"", b"text\n", b'{"name": "x", "input": [1, 2]}\n'])
def test_what_is_no_journal_is_told(content, output):
    output.folder.mkdir()
    output.journal.write_bytes(content)
    with pytest.raises(DataError, match=r"journal .*: found no (line that can be read|journal of `hrnet infer`)"):
        Journal(output, RUN)


def test_other_choices_are_refused(output, sources):
    filled(output, sources[:1])
    before = output.journal.read_bytes()
    with pytest.raises(ConfigError, match=r"--out .*: found results with runtime torch, expected runtime openvino\. N"):
        Journal(output, {**RUN, "runtime": "openvino"})
    with pytest.raises(ConfigError, match="found results with weights unknown, expected weights 1234"):
        Journal(output, {**RUN, "weights": "1234"})
    assert output.journal.read_bytes() == before
    with Journal(output, {**RUN, "runtime": "openvino"}, overwrite=True) as journal:
        assert len(journal) == 0


def test_a_run_that_came_to_nothing_binds_nobody(output, sources):
    filled(output, [])
    with Journal(output, {"network": "another"}) as journal:
        journal.append([record(sources[0])])
    with pytest.raises(ConfigError, match="found results with network another"):
        Journal(output, RUN)


def test_other_inputs_are_refused_and_more_are_not(output, sources):
    filled(output, sources[:3])
    with Journal(output, RUN) as journal:
        journal.check_inputs(sources)
        with pytest.raises(
            ConfigError, match=r"found results of 2 others than the inputs, such as 0\.jpg, expected the s"
        ):
            journal.check_inputs(sources[2:4])


def test_another_folder_with_the_same_names_is_refused(output, sources, tmp_path):
    filled(output, sources[:2])
    before = output.journal.read_bytes()
    elsewhere = [Source(tmp_path / "elsewhere" / source.name, source.name) for source in sources]
    with Journal(output, RUN) as journal:
        with pytest.raises(ConfigError) as caught:
            journal.check_inputs(elsewhere)
        journal.append([entry(sources[2], failed="broken")])
        journal.check_inputs([*sources[:2], *elsewhere[2:]])  # nothing is lost with what failed
    there, here = sources[0].path, elsewhere[0].path
    assert f"--out {output.folder}: 0.jpg: found results of {there}, expected those of {here}. Nam" in str(caught.value)
    assert "--overwrite" in str(caught.value)
    assert output.journal.read_bytes().startswith(before)


def test_nobody_else_writes_meanwhile(output):
    with Journal(output, RUN), pytest.raises(ConfigError, match="found another run that writes there"):
        Journal(output, RUN)
    Journal(output, RUN).__exit__()


@pytest.mark.parametrize("name", ["results.json", "keypoint_results.json", "pictures/mine.jpg", "videos/mine.mp4"])
def test_files_of_somebody_else_are_not_written_over(name, output):
    (output.folder / name).parent.mkdir(parents=True)
    (output.folder / name).write_text("mine")
    with pytest.raises(ConfigError, match=rf"--out .*: found {name.split('/')[0]} that no `hrnet infer` wrote"):
        Journal(output, RUN)
    assert (output.folder / name).read_text() == "mine"
    Journal(output, RUN, overwrite=True).__exit__()


def test_overwriting_takes_away_what_the_run_wrote_and_nothing_else(output, sources, tmp_path):
    kept = [tmp_path / "0.jpg", output.folder / "notes.txt", output.folder / "pictures/mine.jpg"]
    gone = [output.folder / "pictures/a.jpg", output.folder / "results.json"]
    with Journal(output, RUN) as journal:
        for path in (*kept[1:], *gone):
            path.parent.mkdir(exist_ok=True)
            path.write_text("x")
        places = {"picture": "pictures/a.jpg", "evil": "pictures/../../0.jpg", "far": str(tmp_path / "0.jpg"),
                  "own": "notes.txt"}  # fmt: skip
        journal.append([record(sources[1], files=places)])
    Journal(output, RUN, overwrite=True).__exit__()
    assert [path.exists() for path in kept] == [True] * 3
    assert [path.exists() for path in gone] == [False] * 2


def test_what_a_killed_run_left_half_written_is_swept_away(output):
    Journal(output, RUN).__exit__()
    partial = output.folder / "pictures/sub/.a.jpg.12ab34cd.partial"
    partial.parent.mkdir(parents=True)
    partial.touch()
    partial.with_name("whole.jpg").touch()
    Journal(output, RUN).__exit__()
    assert [path.name for path in partial.parent.iterdir()] == ["whole.jpg"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"--out: file .*/file/out: found .*, expected a file that can be written"):
        Journal(Output(tmp_path / "file/out"), RUN)


def test_a_full_disk_is_one_line(output, sources, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with Journal(output, RUN) as journal:
        monkeypatch.setattr("hrnet_plugin.inference.output.write_whole", full)
        with pytest.raises(
            ConfigError, match=r"pictures/a\.jpg: found No space left on device, .* goes on from what is"
        ):
            output.write(b"x", "pictures/a.jpg")
        journal.append([record(sources[0])])


def test_batches_are_cut_from_all_images(output, sources):
    """An interrupted batch is computed as a whole, a finished one not at all, what failed by itself."""
    with Journal(output, RUN) as journal:
        plan = lambda: plan_run(sources, lambda _: True, journal, 2, task="pose", pictures=False)  # noqa: E731
        names = lambda: [[one.name[0] for one in batch] for batch in plan().batches]  # noqa: E731
        assert names() == [["0", "1"], ["2", "3"], ["4"]]
        journal.append([record(sources[0]), record(sources[1]), record(sources[2])])
        assert names() == [["2", "3"], ["4"]]
        assert plan().kept == 2
        journal.append([{**record(sources[3]), "failed": "broken"}, record(sources[4])])
        assert names() == [["3"]]
        drawn = plan_run(sources, lambda one: one.name != "0.jpg", journal, 2, task="pose", pictures=True)
        assert [len(batch) for batch in drawn.batches] == [2, 2]
        assert [one.name for one in drawn.left_out] == ["0.jpg"]


def test_names_of_results_are_never_the_same():
    names = ["a/x.jpg", "a/x.png", "a/X.jpg", "b/x.jpg", "x.y.jpg", "a/x.png.bmp"]
    stems = stems_of(names)
    assert list(stems) == names
    assert len({stem.casefold() for stem in stems.values()}) == len(names)
    assert (stems["a/x.jpg"], stems["b/x.jpg"], stems["x.y.jpg"]) == ("a/x", "b/x", "x.y")


def test_a_finished_input_keeps_its_name_of_results(output, sources):
    places = {"0.jpg": "pictures/a/x.png.jpg", "1.jpg": "videos/clip.json", "2.jpg": "masks/../../x.png", "3.jpg": "/x"}
    with Journal(output, RUN) as journal:
        for source, place in zip(sources, places.values(), strict=False):
            journal.append([record(source, files={"picture": place})])
        assert journal.stems() == {"0.jpg": "a/x.png", "1.jpg": "clip"}
    assert stems_of(["x.jpg", "x.png"], {"x.png": "X"}) == {"x.jpg": "x.jpg", "x.png": "X"}


def test_the_journal_is_lines_of_json(output, sources):
    filled(output, sources)
    lines = [json.loads(line) for line in output.journal.read_text().splitlines()]
    assert lines[0] == {"hrnet infer": RUN}
    assert [line["name"] for line in lines[1:]] == [source.name for source in sources]
