"""The wheel holds the config groups inside the package and nothing beside it; every version is pinned."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(root)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return set(zipfile.ZipFile(next(folder.glob("*.whl"))).namelist())


def test_wheel_carries_every_config_file(root: Path, wheel: set[str]) -> None:
    wanted = {f"espalier/{file.relative_to(root)}" for file in (root / "conf").rglob("*.yaml")}
    assert "espalier/conf/train.yaml" in wanted
    assert wanted <= wheel


def test_wheel_has_no_other_top_level(wheel: set[str]) -> None:
    assert {name.split("/")[0] for name in wheel} == {"espalier", "espalier-0.1.0.dist-info"}


def test_wheel_carries_data_files(root: Path, wheel: set[str]) -> None:
    source = root / "src"
    files = {str(f.relative_to(source)) for f in (source / "espalier").rglob("*") if f.is_file()}
    assert {name for name in files if "__pycache__" not in name} <= wheel


def test_constraints_name_every_installed_version(root: Path) -> None:
    result = subprocess.run([sys.executable, root / "scripts" / "pin", "--check"], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_no_build_for_one_kind_of_machine_is_pinned(root: Path) -> None:
    lines = (root / "constraints.txt").read_text().splitlines()
    assert "torch==2.13.0" in lines
    assert [line for line in lines if "+" in line or line.startswith(("nvidia-", "triton", "cuda-"))] == []
