from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from espalier import __version__
from espalier.config.check import check
from espalier.config.compose import compose
from espalier.config.migrations import SCHEMA
from espalier.config.saved import in_use, read, rerun, summary, write
from espalier.config.tree import plain
from espalier.core.errors import UserError


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("réponses.csv").write_text("text,label\na,b\n")
    made = compose(
        ["data=csv", "data.path=réponses.csv", "model=lstm", "adapter=full", "name=${vars.x}", "vars.x=mine"]
    )
    assert made.faults == ()
    place = tmp_path / "run"
    place.mkdir()
    write(made, place)
    return place


def test_what_was_written_is_read(directory: Path) -> None:
    experiment = read(directory)
    check(experiment)
    assert plain(experiment.config)["name"] == "${vars.x}"
    assert experiment.choices["model"] == "lstm"


def test_paths_of_files_are_absolute(directory: Path, tmp_path: Path) -> None:
    assert read(directory).values["data"]["path"] == str(tmp_path / "réponses.csv")


def test_folders_of_weights_are_absolute_and_hub_ids_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number, (source, kept) in enumerate({"./mine": str(tmp_path / "mine"), "org/net": "org/net"}.items()):
        place = tmp_path / f"run{number}"
        place.mkdir()
        write(compose(["model=hub", f"model.source={source}"]), place)
        saved = read(place)
        assert saved.values["model"]["source"] == saved.values["model"]["encoding"]["source"] == kept
        assert plain(saved.config)["model"]["encoding"]["source"] == "${model.source}"


def test_several_files_and_a_pattern_are_absolute_and_stay_when_an_option_changes(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("text,label\na,b\n")
    word = f"data.path=[{tmp_path}/a.csv,{tmp_path}/../{tmp_path.name}/b.csv]"
    write(compose(["data=csv", word, f"data.test_path={tmp_path}/*.csv", "model=lstm", "adapter=full"]), tmp_path)
    wanted = [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    for experiment in (read(tmp_path), rerun(tmp_path, ["model=minilm"])):
        assert experiment.values["data"]["path"] == wanted
        assert experiment.values["data"]["test_path"] == str(tmp_path / "*.csv")


def test_a_fault_names_the_saved_file(directory: Path) -> None:
    file = directory / "config.yaml"
    file.write_text(file.read_text().replace("lr: 0.001", "lr: -1"))
    with pytest.raises(UserError) as refused:
        check(read(directory))
    (fault,) = refused.value.faults
    assert fault.what == "optimizer.lr=-1" and fault.where.startswith("run/config.yaml:")


def test_rerun_with_a_value_starts_from_the_saved_tree(directory: Path) -> None:
    file = directory / "config.yaml"
    file.write_text(file.read_text().replace("lr: 0.001", "lr: 0.25"))  # another version's default
    experiment = rerun(directory, ["seed=4"])
    assert (experiment.values["optimizer"]["lr"], experiment.values["seed"]) == (0.25, 4)


def test_rerun_with_an_option_composes_its_words_anew(directory: Path, tmp_path: Path) -> None:
    experiment = rerun(directory, ["model=minilm", "adapter=lora", "model.dropout=0"])
    check(experiment)
    assert experiment.choices["model"] == "minilm" and experiment.values["adapter"]["rank"] == 8
    assert experiment.values["data"]["path"] == str(tmp_path / "réponses.csv")
    assert experiment.values["name"] == "mine"


def test_rerun_with_another_preset_leaves_the_files_of_the_first(tmp_path: Path) -> None:
    presets = tmp_path / "conf" / "experiment"
    presets.mkdir(parents=True)
    for name in "abc":
        (tmp_path / f"{name}.csv").write_text("text,label\nx,y\n")
        (presets / f"{name}.yaml").write_text(
            "# @package _global_\ndefaults:\n  - override /data: csv\n  - _self_\n"
            f"name: {name}\ndata: {{path: {tmp_path}/{name}.csv}}\n"
        )
    folder, run, worded = tmp_path / "conf", tmp_path / "run", tmp_path / "worded"
    for directory, words in ((run, []), (worded, [f"data.path={tmp_path}/c.csv"])):
        directory.mkdir()
        write(compose(["experiment=a", *words], config_dirs=[folder]), directory)
    again = rerun(run, ["experiment=b"])
    assert (again.values["name"], again.values["data"]["path"]) == ("b", f"{tmp_path}/b.csv")
    assert rerun(worded, ["experiment=b"]).values["data"]["path"] == f"{tmp_path}/c.csv"
    assert rerun(run, ["experiment=sst2_lora"]).faults == ()
    assert rerun(run, ["debug=one_batch"]).values["data"]["path"] == f"{tmp_path}/a.csv"
    chosen = tmp_path / "chosen"
    chosen.mkdir()
    write(compose(["experiment=a", "data=csv"], config_dirs=[folder]), chosen)
    assert rerun(chosen, ["experiment=b"]).values["data"]["path"] == f"{tmp_path}/b.csv"
    assert rerun(run, ["model=lstm", "adapter=full"]).values["data"]["path"] == f"{tmp_path}/a.csv"


def test_rerun_drops_what_was_set_below_the_old_option(tmp_path: Path) -> None:
    write(compose(["model=lstm", "adapter=full", "model.hidden=7"]), tmp_path)
    experiment = rerun(tmp_path, ["model=minilm"])
    assert experiment.faults == () and "hidden" not in experiment.values["model"]


def test_in_use_a_run_is_what_it_was_but_for_what_words_choose(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\nx,y\n")
    preset = tmp_path / "conf" / "experiment" / "mine.yaml"
    preset.parent.mkdir(parents=True)
    text = "# @package _global_\ndefaults:\n  - override /data: csv\n  - _self_\ntask: {label_smoothing: 0.1}\n"
    preset.write_text(f"{text}data: {{path: {tmp_path}/a.csv, columns: {{text: review}}}}\n")
    write(compose(["experiment=mine", "hardware=auto"], config_dirs=[tmp_path / "conf"]), tmp_path)
    preset.write_text(preset.read_text().replace("0.1", "0.5").replace("review", "country"))  # the next idea
    words = ["hardware=cpu", "hardware.threads=2", "task.label_smoothing=0.2", "data.limit=3"]
    moved = in_use(tmp_path, words)
    assert moved.faults == () and moved.choices["hardware"] == "cpu"
    assert (moved.values["hardware"]["threads"], moved.values["hardware"]["precision"]) == (2, "32-true")
    assert moved.values["task"]["label_smoothing"] == 0.2
    assert (moved.values["data"]["columns"]["text"], moved.values["data"]["limit"]) == ("review", 3)
    assert moved.layers.where("hardware.threads") == "command line: hardware.threads=2"
    assert plain(in_use(tmp_path, ["hardware=cpu"]).config)["task"] == plain(read(tmp_path).config)["task"]
    preset.unlink()  # and its folder may be gone
    other = in_use(tmp_path, ["data=jsonl", "data.path=new.jsonl"])
    assert other.faults == () and other.values["data"]["_target_"].endswith("Jsonl")
    wrong = in_use(tmp_path, ["hardware=gpuu", "dota=csv"]).faults
    assert {fault.what for fault in wrong} == {"dota=csv", "hardware=gpuu"}


def test_rerun_with_a_wrong_word(directory: Path) -> None:
    assert [fault.what for fault in rerun(directory, ["seeed=4"]).faults] == ["seeed=4"]
    assert [fault.what for fault in rerun(directory, ["model=lsmt"]).faults] == ["model=lsmt"]


def test_a_later_version(directory: Path) -> None:
    file = directory / "origin.yaml"
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), "schema": 99, "version": "7.8.9"}))
    with pytest.raises(UserError, match=r"Espalier 7\.8\.9 \(schema 99\).*pip install 'espalier>=7\.8\.9'"):
        read(directory)


@pytest.mark.parametrize("schema", ["two", None, [1]])
def test_a_schema_that_is_no_number(directory: Path, schema: object) -> None:
    file = directory / "origin.yaml"
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), "schema": schema}))
    with pytest.raises(UserError, match="cannot be read"):
        read(directory)


def test_it_says_which_version_wrote_it(directory: Path) -> None:
    told = yaml.safe_load((directory / "origin.yaml").read_text())
    assert (told["schema"], told["version"]) == (SCHEMA, __version__)


def test_no_run_directory(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no run directory"):
        read(tmp_path)


def test_what_an_outcome_says_of_its_experiment_has_no_secrets() -> None:
    told = summary(compose(["model=lstm", "+vars.api_key=abc"]))
    assert told["options"]["model"] == "lstm" and not {"debug", "model/encoding"} & set(told["options"])
    assert told["overrides"] == ["model=lstm", "+vars.api_key=•••"]


def test_origin_says_what_was_set_over_a_default(tmp_path: Path) -> None:
    write(compose(["optimizer.lr=3e-4"]), tmp_path)
    told = yaml.safe_load((tmp_path / "origin.yaml").read_text())["set"]
    assert told["optimizer.lr"] == ["command line: optimizer.lr=3e-4", "0.001"] and "optimizer.weight_decay" not in told


def test_a_path_that_holds_a_secret_stays_a_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "abc123secretplace"
    place.mkdir()
    (place / "x.csv").write_text("text,label\na,b\n")
    monkeypatch.setenv("SHARE_TOKEN", "abc123secretplace")
    monkeypatch.setenv("SHARE", str(tmp_path / "abc123secretplace"))
    words = ["data=csv", "data.path='${oc.env:SHARE}/x.csv'", "data.columns.text=text", "data.columns.label=label"]
    experiment = compose(words)
    write(experiment, tmp_path)
    assert "abc123secretplace" not in (tmp_path / "config.yaml").read_text() + (tmp_path / "origin.yaml").read_text()
    assert read(tmp_path).values["data"]["path"] == str(place / "x.csv")
