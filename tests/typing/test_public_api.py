"""mypy checks accepted.py and rejected.py (`make lint`); here is checked that they leave nothing out."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import cdk_chime_messaging

HERE = Path(__file__).parent


def names_used_in(file: str) -> set[str]:
    """Return the names that a file uses, beside those it imports."""
    tree = ast.parse((HERE / file).read_text())
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return names | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def test_every_public_name_has_its_types_checked() -> None:
    """A name that the package offers is used in accepted.py."""
    assert set(cdk_chime_messaging.__all__) - names_used_in("accepted.py") == set()


@pytest.mark.parametrize(
    "construct", [cdk_chime_messaging.AppInstanceBase, cdk_chime_messaging.Channel, cdk_chime_messaging.IChannel]
)
def test_every_method_has_its_types_checked(construct: type) -> None:
    """A method is used in accepted.py, or in rejected.py when it is deprecated."""
    methods = {name: one for name, one in vars(construct).items() if callable(one) and name[0] != "_"}
    deprecated = {name for name, one in methods.items() if hasattr(one, "__deprecated__")}
    inherited = {"apply_removal_policy"}  # CDK's own
    assert set(methods) - deprecated - inherited - names_used_in("accepted.py") == set()
    assert deprecated - names_used_in("rejected.py") == set()
