"""The public API is what `forethought.__all__` says, and importing it costs nothing."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import forethought

# A name added here is a promise (semantic versioning); a name removed lived deprecated for one minor release.
PUBLIC = [
    "Contrasts",
    "ForethoughtError",
    "GeneralizedFit",
    "LinearFit",
    "LoadedProtocol",
    "MarginalFit",
    "MarginalMeans",
    "MixedFit",
    "Protocol",
    "RecordedDesign",
    "__version__",
    "anova",
    "emmeans",
    "gee",
    "glm",
    "glmer",
    "lmer",
    "load",
    "ols",
    "ordinal",
    "randomization_test",
]


def test_the_public_names_are_exactly_these() -> None:
    assert sorted(forethought.__all__) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_each_public_name_is_there_and_listed(name: str) -> None:
    assert hasattr(forethought, name)
    assert name in dir(forethought)


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        forethought.no_such_name  # noqa: B018


def test_type_checkers_see_each_lazy_name_where_it_is_found_at_run_time() -> None:
    module = ast.parse(Path(forethought.__file__).read_text(encoding="utf-8"))
    (for_checkers,) = [node for node in module.body if isinstance(node, ast.If)]
    seen = {
        alias.name: node.module
        for node in for_checkers.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == forethought._HOMES


def test_importing_forethought_imports_no_library_and_no_other_module_of_ours() -> None:
    line = "import sys; before = set(sys.modules); import forethought; print(*(set(sys.modules) - before))"
    printed = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True).stdout
    loaded = set(printed.split())
    assert {name for name in loaded if name.split(".")[0] not in sys.stdlib_module_names} == {"forethought"}


def test_the_version_is_the_one_in_pyproject(pyproject: dict[str, Any]) -> None:
    assert forethought.__version__ == pyproject["project"]["version"]
