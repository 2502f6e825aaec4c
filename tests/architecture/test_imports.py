"""The import contracts of pyproject.toml hold, and light rooms stay light at run time."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

LIGHT = ("core", "config", "report", "cli")
HEAVY = ("torch", "pytorch_lightning", "torchmetrics", "transformers", "tokenizers", "peft", "datasets", "wandb")


def test_contracts(root: Path) -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([linter], cwd=root, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_light_rooms_load_nothing_heavy(root: Path) -> None:
    source = root / "src"
    files = [file for room in LIGHT for file in (source / "espalier" / room).rglob("*.py")]
    modules = [".".join(file.relative_to(source).with_suffix("").parts).removesuffix(".__init__") for file in files]
    program = (
        f"import importlib, sys\nfor name in {modules!r}: importlib.import_module(name)\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == ""


ROWS = {
    "csv": "text,label\n" + "".join(f"text {i},{i % 2}\n" for i in range(40)),
    "jsonl": "".join(f'{{"text": "text {i}", "label": "{i % 2}"}}\n' for i in range(40)),
}


@pytest.mark.parametrize("action", [["show"], ["check", "--quick"]], ids=" ".join)
@pytest.mark.parametrize("option", ["csv", "jsonl", "digits", "support_intents"])
def test_looking_into_rows_loads_nothing_heavy(action: list[str], option: str, tmp_path: Path) -> None:
    words = ["data", *action, f"data={option}"]
    if option in ROWS:
        (tmp_path / f"t.{option}").write_text(ROWS[option])
        words.append(f"data.path=t.{option}")
    program = (
        f"import sys\nfrom espalier.cli.dispatch import main\ncode = main({words!r})\n"
        f"print(*[name for name in {(*HEAVY, 'pandas', 'sklearn', 'scipy')!r} if name in sys.modules])\nsys.exit(code)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "train" in result.stdout and result.stdout.splitlines()[-1] == ""


def test_one_instantiate(root: Path) -> None:
    source = root / "src" / "espalier"
    callers = [str(f.relative_to(source)) for f in sorted(source.rglob("*.py")) if _names_hydra_instantiate(f)]
    assert callers == ["build/instantiate.py"]


def _names_hydra_instantiate(file: Path) -> bool:
    wanted = {"instantiate", "call"}
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "hydra":
            found = wanted & {alias.name for alias in node.names}
        else:
            found = (
                isinstance(node, ast.Attribute) and node.attr in wanted and ast.unparse(node.value).startswith("hydra.")
            )
        if found:
            return True
    return False
