"""The wheel alone, far from the checkout, carries its templates and benches; emits and verifies with them."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SPEC = "kind: mul\nname: packaged\nformats: {a: e2m1, b: e2m3, y: e4m3fn}\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (file,) = folder.glob("hwgen-*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment that has the wheel, and the dependencies of this one but not hwgen."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # A folder named in a .pth file is searched, but its own .pth files, an editable hwgen, are not read.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder


def run(environment: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(environment / "bin" / "python"), *arguments]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_the_wheel_carries_templates_and_benches(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for folder, package in (("templates", "_templates"), ("sim", "_sim")):
        files = [path for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix != ".pyc"]
        assert files
        missing = [
            path for path in files if f"hwgen/{package}/{path.relative_to(ROOT / folder)}" not in names
        ]
        assert missing == []
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests/")]


def test_the_installed_wheel_emits_and_verifies(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "unit.yaml").write_text(SPEC, encoding="utf-8")
    where = run(installed, tmp_path, "-c", "import hwgen; print(hwgen.__file__)")
    assert where.stdout.startswith(str(installed)), where.stderr
    emitted = run(installed, tmp_path, "-m", "hwgen.cli", "emit", "unit.yaml", "-o", "project")
    assert emitted.returncode == 0, emitted.stderr
    verified = run(installed, tmp_path, "-m", "hwgen.cli", "verify", "project")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "PASS" in verified.stdout
    assert "1024" in verified.stdout  # every pair of a 4-bit and a 6-bit operand
