"""Chromium: one that is installed, or the one that the npm package carries."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from ctypes.util import find_library
from pathlib import Path

from playwright.sync_api import Browser, Playwright

ROOT = Path(__file__).parent.parent.parent
_FLAGS = ("--headless", "--no-sandbox", "--no-zygote", "--disable-gpu", "--hide-scrollbars")


def find_chromium() -> tuple[str, dict[str, str]]:
    """Return the executable, and what its environment needs."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if installed := shutil.which(name):
            return installed, {}
    folder = ROOT / "build" / "chromium"
    folder.mkdir(parents=True, exist_ok=True)
    environ = {**os.environ, "TMPDIR": str(folder), "NODE_PATH": str(ROOT / "node_modules")}
    if find_library("nss3") is None:
        environ["AWS_EXECUTION_ENV"] = "AWS_Lambda_nodejs24.x"  # then the package unpacks libraries, too
    command = ["node", str(Path(__file__).with_name("chromium.mjs"))]
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the package writes where another worker may already execute
        found = json.loads(subprocess.run(command, env=environ, check=True, capture_output=True).stdout)
    return found["executable"], {"LD_LIBRARY_PATH": found["libraries"]} if found["libraries"] else {}


def launch(playwright: Playwright) -> Browser:
    """Start Chromium."""
    executable, environ = find_chromium()
    return playwright.chromium.launch(executable_path=executable, args=list(_FLAGS), env={**os.environ, **environ})
