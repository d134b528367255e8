"""The built wheel, not the tree: it has what the tree has, and works in an environment of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"conformance": "orderproof", "strategies": "orderproof/strategies", "spec": "orderproof/spec"}
FOLDERS["cassettes"] = "orderproof/cassettes"
DATA = {".py", ".yaml", ".json", ".html", ".css", ".js", ".typed"}
pytestmark = pytest.mark.packaging


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    tree = out / "tree"
    # setuptools builds inside the tree: a copy keeps leftovers of other builds out, and ours to ourselves.
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__"))
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(tree)], check=True)
    return next(out.glob("*.whl"))


def test_the_wheel_has_what_the_tree_has(wheel: Path) -> None:
    wanted = {
        f"{package}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, package in FOLDERS.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
        and (path.suffix in DATA or path.name == "py.typed")
        and "__pycache__" not in path.parts
    }
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert wanted == names


def test_the_wheel_checks_the_sandbox(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(wheel)], check=True)
    command = [python, "-m", "orderproof", "check", "--profile", "quick", "--quiet", "--seed", "0"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stderr)
    assert "CONFORMS" in done.stdout
