"""Handlers of any release: the files of its Lambda asset, imported under a name of their own beside today's."""

from __future__ import annotations

import importlib
import logging
import re
import sys
import tempfile
import threading
import zipfile
from functools import lru_cache
from pathlib import Path
from types import ModuleType, SimpleNamespace

ASSETS = Path(__file__).parent / "assets"
_TOP = "chime_channel|clients|crhelper"
_FROM = re.compile(rf"^(\s*)from ({_TOP})\b", re.MULTILINE)
_IMPORT = re.compile(rf"^(\s*)import ({_TOP})$", re.MULTILINE)
_TEXT = re.compile(r'"chime_channel\.')
_STILL = re.compile(rf"^\s*(?:from|import) ({_TOP})\b", re.MULTILINE)
_scratch: list[tempfile.TemporaryDirectory[str]] = []


@lru_cache
def today() -> ModuleType:
    """Return the entry point of the checkout."""
    return importlib.import_module("index")


@lru_cache
def of_release(commit: str) -> ModuleType:
    """Return the entry point of a release that is kept in assets/."""
    return load(ASSETS / f"{commit}.zip", f"release_{commit}")


def load(asset: Path, package: str) -> ModuleType:
    """Import the entry point of an asset; nothing of it but the names in its imports is changed."""
    scratch = tempfile.TemporaryDirectory()
    _scratch.append(scratch)  # until the end of the process: modules are imported when they are needed
    folder = Path(scratch.name, package)
    with zipfile.ZipFile(asset) as packed:
        packed.extractall(folder)
    for path in folder.rglob("*.py"):
        path.write_text(_renamed(path.read_text(), package))
    sys.path.insert(0, scratch.name)
    try:
        entry = importlib.import_module(f"{package}.index")
    finally:
        sys.path.remove(scratch.name)
    # Of the release's modules those not yet imported are found by their package's path.
    logging.getLogger(package).setLevel(logging.CRITICAL + 1)
    if "start_timer" not in entry.Effects.__dataclass_fields__:
        entry.threading = SimpleNamespace(Timer=_NoTimer, Lock=threading.Lock)  # type: ignore[attr-defined]
    return entry


class _NoTimer:
    """Stands for a timer of the first release, which ran on the real clock."""

    daemon = True

    def __init__(self, seconds: float, call: object) -> None: ...

    def start(self) -> None: ...

    def cancel(self) -> None: ...


def _renamed(source: str, package: str) -> str:
    source = _FROM.sub(rf"\1from {package}.\2", source)
    source = _IMPORT.sub(rf"\1from {package} import \2", source)
    source = _TEXT.sub(f'"{package}.chime_channel.', source)
    assert not _STILL.search(source), "an import of a form that is not known here"
    return source
