from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.conftest import Command
from espalier.cli.data import main
from espalier.core.errors import UserError


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "espalier data check" in capsys.readouterr().out
    assert main([]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["chek", "data=sst2"], "Did you mean  espalier data check"),
        (["info", "data=sst2"], "Write  espalier data show …  or  espalier data check …"),
        (["data=sst2"], "Write  espalier data show data=sst2 …  or  espalier data check data=sst2 …"),
        (["show", "--quick"], "belongs to  espalier data check"),
        (["check", "--rows", "3"], "belongs to  espalier data show"),
        (["show", "--rows", "few"], "is no number of rows"),
        (["check", "--output", "nowhere/s.csv"], "is not there"),
        (["check", "--output", "s.txt"], r"end with \.csv or \.jsonl"),
        (["check", "data=sst"], "Did you mean"),
        (["show", "data.batch_size=0"], "data.batch_size"),
        (["show", "data=csv", "data.path=none.csv"], r"none\.csv"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes_are_answered_before_anything_is_read(words: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        main(words)


@pytest.mark.e2e
@pytest.mark.slow
def test_from_an_empty_folder(script: Command, here: Path) -> None:
    shown = script("data", "show", "--rows", "0", "--json")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["rows"] == {"train": [], "validation": [], "test": []}
    (here / "t.csv").write_text("text,label\n" + "".join(f"text {i % 30},{i % 2}\n" for i in range(40)))
    words = ("data", "check", "data=csv", "data.path=t.csv", "--quick", "--strict", "--json", "--output", "s.csv")
    checked = script(*words)
    assert checked.returncode == 1, checked.stderr
    assert len((here / "s.csv").read_text().splitlines()) == 1 + len(json.loads(checked.stdout)["suspects"]) > 1
    assert sorted(path.name for path in here.iterdir()) == ["s.csv", "t.csv"]


@pytest.mark.e2e
@pytest.mark.slow
def test_what_the_data_lacks_is_one_message(script: Command, here: Path) -> None:
    (here / "t.csv").write_text("text,label\na,1\nb,\n")
    answer = script("data", "check", "data=csv", "data.path=t.csv")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "empty cells: 'label' on line 3" in answer.stderr
