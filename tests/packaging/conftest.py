"""The project as a stranger gets it: its wheel, built once, and that wheel installed outside the checkout."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
Installed = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def checkout() -> Path:
    return CHECKOUT


@pytest.fixture(scope="session")
def pyproject(checkout: Path) -> dict[str, Any]:
    return tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def package_folders(pyproject: dict[str, Any]) -> dict[str, str]:
    """Each folder of the checkout that is mapped to a package, and its folder in the wheel."""
    mapped: dict[str, str] = pyproject["tool"]["setuptools"]["package-dir"]
    return {folder: package.replace(".", "/") for package, folder in mapped.items()}


@pytest.fixture(scope="session")
def wheel(checkout: Path, package_folders: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built offline from a copy: what an earlier build left behind must not get into it."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(checkout / name, source)
    for package_folder in package_folders:
        shutil.copytree(
            checkout / package_folder, source / package_folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    _pip("wheel", "--no-build-isolation", "--wheel-dir", str(folder), str(source))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def files_in_wheel(wheel: Path) -> frozenset[str]:
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Run a line of Python that finds the standard library and the installed wheel only.

    Without site-packages, because the editable install of the checkout is in there."""
    outside = tmp_path_factory.mktemp("outside")
    _pip("install", "--no-compile", "--target", str(outside / "site"), str(wheel))
    without_site = (sys.executable, "-I", "-S", "-c")
    find_it = f"import sys; sys.path.insert(0, {str(outside / 'site')!r}); "

    def run(line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*without_site, find_it + line], cwd=outside, capture_output=True, text=True, check=False
        )

    return run


def _pip(command: str, *arguments: str) -> None:
    quietly_offline = ("--quiet", "--isolated", "--no-index", "--no-deps", "--disable-pip-version-check")
    done = subprocess.run(
        [sys.executable, "-m", "pip", command, *quietly_offline, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
