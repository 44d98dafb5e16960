"""The commit of a study's repository is read from its files, whatever form they have."""

import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from forethought.provenance import git_commit, software_versions


def git(folder: Path, *arguments: str) -> str:
    """Run git in the folder, as somebody with a name."""
    named = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *named, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "study").mkdir(parents=True)
    git(folder, "init", "--quiet")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "one")
    return folder


def test_a_folder_outside_any_repository_has_no_commit(tmp_path: Path) -> None:
    assert git_commit(tmp_path) is None


def test_a_study_inside_a_repository_has_its_commit(repository: Path) -> None:
    assert git_commit(repository / "study") == git(repository, "rev-parse", "HEAD")


def test_a_repository_without_a_commit_has_none(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert git_commit(tmp_path) is None


def test_a_packed_branch_is_read_too(repository: Path) -> None:
    git(repository, "pack-refs", "--all")
    assert git_commit(repository) == git(repository, "rev-parse", "HEAD")


def test_a_detached_head_is_its_own_commit(repository: Path) -> None:
    git(repository, "checkout", "--quiet", "--detach")
    assert git_commit(repository) == git(repository, "rev-parse", "HEAD")


def test_a_worktree_has_the_commit_of_its_own_branch(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "--quiet", "-b", "other", str(tmp_path / "tree"))
    git(tmp_path / "tree", "commit", "--quiet", "--allow-empty", "--message", "two")
    assert git_commit(tmp_path / "tree") == git(tmp_path / "tree", "rev-parse", "HEAD")
    assert git_commit(tmp_path / "tree") != git_commit(repository)


def test_the_versions_are_those_installed() -> None:
    found = software_versions()
    assert found["duckdb"] == version("duckdb")
    assert list(found) == [
        "python", "forethought", "numpy", "scipy", "pandas", "statsmodels", "duckdb", "formulaic", "nlopt",
    ]  # fmt: skip
