"""What software and which commit a study ran with, read without starting another program."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("forethought", "numpy", "scipy", "pandas", "statsmodels", "duckdb", "formulaic", "nlopt")
"""The packages whose version can move a number."""


def software_versions() -> dict[str, str]:
    """Package to installed version, Python's own among them; what is not installed is left out."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def git_commit(path: Path) -> str | None:
    """The commit checked out in the repository that holds `path`; None where there is none, or no commit."""
    for folder in (path.resolve(), *path.resolve().parents):
        if (folder / ".git").exists():
            git = _git_folder(folder / ".git")
            return _resolve(git, (git / "HEAD").read_text().strip()) if (git / "HEAD").is_file() else None
    return None


def _git_folder(dot_git: Path) -> Path:
    """The repository's own folder: `.git`, or where a `.git` file of a worktree points."""
    if dot_git.is_dir():
        return dot_git
    return (dot_git.parent / dot_git.read_text().strip().removeprefix("gitdir: ")).resolve()


def _resolve(git: Path, head: str) -> str | None:
    """HEAD as a commit: itself, a loose ref or a packed one, a worktree's refs lying in its main repository."""
    if not head.startswith("ref: "):
        return head or None
    ref = head.removeprefix("ref: ")
    common = (
        (git / (git / "commondir").read_text().strip()).resolve() if (git / "commondir").is_file() else git
    )
    if (common / ref).is_file():
        return (common / ref).read_text().strip()
    packed = common / "packed-refs"
    lines = packed.read_text().splitlines() if packed.is_file() else []
    return next((line.split(" ")[0] for line in lines if line.endswith(f" {ref}")), None)
