"""The shape of the repository: who may import whom, and what must not be there."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STDLIB = frozenset(sys.stdlib_module_names)
MAY = {
    "constructs/cdk_chime_messaging": {"aws_cdk", "constructs", "jsii", "typing_extensions", "cdk_chime_messaging"},
    "lambda/chime_handler": {"chime_handler"},
    "lambda/index.py": {"botocore", "botocore_clients", "crhelper", "chime_handler"},
    "lambda/botocore_clients.py": {"boto3", "botocore"},
    "local/chime_local": {"boto3", "botocore", "ministack", "hypercorn", "chime_local"},
    "examples": {"aws_cdk", "constructs", "cdk_chime_messaging"},
    "app.py": {"aws_cdk", "constructs", "cdk_chime_messaging"},
}


def imported(path: Path) -> Iterator[str]:
    """Return the top-level names that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("part", MAY)
def test_imports(part: str) -> None:
    """Each part imports what it may, and nothing else."""
    where = ROOT / part
    files = [where] if where.is_file() else sorted(where.rglob("*.py"))
    assert files
    for path in files:
        foreign = set(imported(path)) - STDLIB - MAY[part]
        assert foreign == set(), path


def test_source_roots_are_no_packages() -> None:
    """constructs/ never has an __init__.py: it would hide PyPI's constructs from aws-cdk-lib."""
    assert not (ROOT / "constructs" / "__init__.py").exists()
    assert not (ROOT / "lambda" / "__init__.py").exists()


@pytest.mark.parametrize(
    "name", ["cdk.json", "app.py", "lambda", "constructs", "tests", "requirements.txt", "local", "pyproject.toml"]
)
def test_top_level(name: str) -> None:
    """What the layout promises at top level is there."""
    assert (ROOT / name).exists()
