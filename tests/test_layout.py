"""The layout of the repository: which part may import which, and what must not be there."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STDLIB = frozenset(sys.stdlib_module_names)
PYTEST_PLUGIN = {"aws_cdk", "mypy_boto3_chime_sdk_identity", "mypy_boto3_chime_sdk_messaging", "pytest"}
ALLOWED_IMPORTS = {
    "constructs/cdk_chime_messaging": {"aws_cdk", "constructs", "jsii", "typing_extensions", "cdk_chime_messaging"},
    "lambda/chime_handler": {"chime_handler"},
    "lambda/index.py": {"botocore", "botocore_clients", "crhelper", "chime_handler"},
    "lambda/botocore_clients.py": {"boto3", "botocore"},
    "local/chime_local": {
        "boto3",
        "botocore",
        "ministack",
        "hypercorn",
        "starlette",
        "jinja2",
        "rich",
        "typer",
        "watchfiles",
        "chime_local",
        "chime_messaging",  # for the deprecated chime-local drift
        *PYTEST_PLUGIN,
    },
    "local/chime_messaging": {"boto3", "botocore", "rich", "typer", "chime_messaging"},
    "examples": {"aws_cdk", "constructs", "cdk_chime_messaging"},
    "app.py": {"aws_cdk", "constructs", "cdk_chime_messaging"},
}


def find_imports(path: Path) -> Iterator[str]:
    """Yield the top-level names that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("part", ALLOWED_IMPORTS)
def test_part_imports_only_what_it_may(part: str) -> None:
    """The standard library is allowed everywhere."""
    path = ROOT / part
    files = [path] if path.is_file() else sorted(path.rglob("*.py"))
    assert files
    for file in files:
        assert set(find_imports(file)) - STDLIB - ALLOWED_IMPORTS[part] == set(), file


def test_source_roots_are_not_packages() -> None:
    """An __init__.py in constructs/ would hide PyPI's constructs from aws-cdk-lib."""
    assert not (ROOT / "constructs" / "__init__.py").exists()
    assert not (ROOT / "lambda" / "__init__.py").exists()


@pytest.mark.parametrize(
    "name", ["cdk.json", "app.py", "lambda", "constructs", "tests", "requirements.txt", "local", "pyproject.toml"]
)
def test_top_level_has_what_users_and_tools_expect(name: str) -> None:
    """The names that users and AWS's tools look for are there."""
    assert (ROOT / name).exists()
