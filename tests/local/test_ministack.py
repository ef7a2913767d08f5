"""The private parts of MiniStack that the engine uses: named in one module, looked for when the engine starts."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ministack.services.cloudformation import stacks

from chime_local.cloudformation import _ministack
from chime_local.cloudformation._ministack import MiniStack, Part
from chime_local.errors import MiniStackError

ROOT = Path(__file__).parent.parent.parent
SOURCES = sorted((ROOT / "local/chime_local").rglob("*.py"))
PRIVATE = {
    part._name
    for parts in vars(_ministack).values()
    if isinstance(parts, type)
    for part in vars(parts).values()
    if isinstance(part, Part) and part._name.startswith("_")
}


def imports_of_ministack(tree: ast.AST) -> Iterator[str]:
    """Return what a module imports of MiniStack."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] == "ministack")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "ministack":
            yield str(node.module)


def private_names(tree: ast.AST) -> Iterator[str]:
    """Return the private names of MiniStack that a module uses of others than itself, by `getattr` too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in PRIVATE:
            if not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")):
                yield node.attr
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("attr"):
            yield from (arg.value for arg in node.args if isinstance(arg, ast.Constant) and arg.value in PRIVATE)


def test_private_names_of_ministack_are_in_one_module() -> None:
    """Who changes to another release of MiniStack has one file to read."""
    assert len(PRIVATE) > 40
    using = {
        str(source.relative_to(ROOT))
        for source in SOURCES
        for tree in [ast.parse(source.read_text())]
        if any(imports_of_ministack(tree)) or any(private_names(tree))
    }
    assert using == set()


def test_missing_name_of_ministack_is_named_with_both_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where MiniStack has no such function any more, the engine says which before it serves anything."""
    monkeypatch.delattr(stacks, "_add_event")
    message = (
        rf"^ministack {re.escape(_ministack.VERSION)} is installed, and lacks "
        r"ministack\.services\.cloudformation\.stacks\._add_event; this engine needs "
        rf"ministack {re.escape(_ministack.VERSION)} as it was published "
    )
    with pytest.raises(MiniStackError, match=message):
        MiniStack()


def test_other_release_of_ministack_is_refused_with_both_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the version found and the one to install."""
    monkeypatch.setattr(_ministack, "version", lambda _: "9.9.9")
    wanted = re.escape(f"pip install ministack=={_ministack.VERSION}")
    with pytest.raises(MiniStackError, match=rf"^ministack 9\.9\.9 is installed, but .*{wanted}"):
        _ministack.check_version()


def test_version_of_ministack_is_the_one_that_is_installed_with_the_package() -> None:
    """The release whose parts the engine uses is pinned by the package."""
    assert f'"ministack=={_ministack.VERSION}"' in (ROOT / "pyproject.toml").read_text()


def test_engine_with_a_missing_name_ends_with_one_line(tmp_path: Path) -> None:
    """The command says so in one sentence and ends with status 1."""
    script = (
        "import sys\nfrom ministack.services.cloudformation import stacks\ndel stacks._add_event\n"
        "from chime_local.serve import main\nsys.exit(main(['--until-input-ends']))\n"
    )
    environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(filter(None, sys.path)), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(
        r"error: ministack .* lacks ministack\.services\.cloudformation\.stacks\._add_event.*\n", done.stderr
    )
