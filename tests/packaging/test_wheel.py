"""The wheel holds all of the project and nothing else, and needs no checkout beside it."""

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

FOLDERS = ("src/forethought", "analysis", "flows", "protocols", "reports", "schemas")


def files_below(folder: Path) -> Iterator[str]:
    """Every file of a folder as a path from it, without caches and hidden files."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not any(part == "__pycache__" or part.startswith(".") for part in inside.parts):
            yield inside.as_posix()


def test_the_only_top_level_name_is_forethought(files_in_wheel: frozenset[str]) -> None:
    tops = {name.split("/")[0] for name in files_in_wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"forethought"}


def test_the_folders_checked_here_are_those_that_pyproject_maps(package_folders: dict[str, str]) -> None:
    assert sorted(package_folders) == sorted(FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_of_a_package_folder_is_in_the_wheel(
    folder: str, checkout: Path, package_folders: dict[str, str], files_in_wheel: frozenset[str]
) -> None:
    wanted = {f"{package_folders[folder]}/{name}" for name in files_below(checkout / folder)}
    missing = sorted(wanted - files_in_wheel)
    assert not missing, "name its package in [tool.setuptools] packages, or its kind of file in package-data"


def test_type_checkers_are_told_that_the_package_is_typed(files_in_wheel: frozenset[str]) -> None:
    assert "forethought/py.typed" in files_in_wheel


def test_the_licence_travels_with_the_wheel(wheel: Path, checkout: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (licence,) = [name for name in archive.namelist() if name.endswith("/licenses/LICENSE")]
        assert archive.read(licence) == (checkout / "LICENSE").read_bytes()


@pytest.mark.parametrize("folder", ["tests", "secrets", "inbox", "__pycache__"])
def test_the_wheel_holds_nothing_from_a_folder_that_is_not_for_strangers(
    folder: str, files_in_wheel: frozenset[str]
) -> None:
    assert not sorted(name for name in files_in_wheel if folder in name.split("/")[:-1])


def test_the_installed_package_is_imported_without_the_checkout_and_without_any_library(
    installed: Callable[[str], CompletedProcess[str]],
) -> None:
    done = installed("import forethought; print(forethought.__file__)")
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().replace("\\", "/").endswith("/site/forethought/__init__.py")


@pytest.mark.parametrize("name", ["analysis", "flows", "protocols", "reports", "schemas", "src"])
def test_a_folder_of_the_checkout_is_no_package_of_its_own_once_installed(
    name: str, installed: Callable[[str], CompletedProcess[str]]
) -> None:
    done = installed(f"import {name}")
    assert f"ModuleNotFoundError: No module named '{name}'" in done.stderr
