"""The wheel, built and used elsewhere: no Docker, no network, the same asset."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
APP = """
from aws_cdk import App, Stack
from cdk_chime_messaging import Channel
app = App(outdir="out")
stack = Stack(app, "Demo")
arn = "arn:aws:chime:us-east-1:111122223333:app-instance/11111111-1111-1111-1111-111111111111"
Channel(stack, "Support", app_instance_arn=arn, chime_bearer=arn + "/user/boss")
app.synth()
"""


def build(out: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Build the wheel into a folder."""
    command = ["pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(out), str(ROOT)]
    environ = {**os.environ, **environ}
    return subprocess.run(
        [sys.executable, "-m", *command], env=environ, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel."""
    out = tmp_path_factory.mktemp("wheel")
    done = build(out)
    assert done.returncode == 0, done.stderr
    (path,) = out.glob("*.whl")
    return path


def synth(folder: Path, package: Path) -> str:
    """Synthesize a stack with the package from a folder, without a network; return the asset's hash."""
    folder.mkdir()
    (folder / "app.py").write_text(APP)
    environ = {**os.environ, "PYTHONPATH": str(package), "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    template = json.loads((folder / "out" / "Demo.template.json").read_text())
    (function,) = (r for r in template["Resources"].values() if r["Type"] == "AWS::Lambda::Function")
    return str(function["Properties"]["Code"]["S3Key"])


def modules(root: Path) -> set[str]:
    """Return the names of the modules in a source root, as in a wheel."""
    return {path.relative_to(root).as_posix() for path in root.rglob("*.py")}


def test_wheel_carries_library_handler_crhelper_and_engine(wheel: Path) -> None:
    """It has every module of the three source roots, crhelper's license and type markers, and no tests."""
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "cdk_chime_messaging/__init__.py",
        "cdk_chime_messaging/py.typed",
        "cdk_chime_messaging/_lambda/index.py",
        "cdk_chime_messaging/_lambda/crhelper/LICENSE",
        "chime_local/__main__.py",
        "chime_local/py.typed",
        "chime_local/console/static/console.js",
        "chime_local/console/static/vendor/htmx.min.js",
        "chime_local/console/static/vendor/sse.min.js",
        "chime_local/console/templates/base.html",
    } <= names
    assert modules(ROOT / "constructs") | modules(ROOT / "local") <= names
    assert {f"cdk_chime_messaging/_lambda/{name}" for name in modules(ROOT / "lambda")} <= names
    assert not any(name.startswith(("tests", "constructs", "lambda")) for name in names)


def test_bill_of_materials_holds_hashes_of_what_is_bundled(wheel: Path) -> None:
    """The bill is where PEP 770 wants it, and names every file of crhelper in the wheel with its SHA-256."""
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith(".cdx.json"))
    assert re.fullmatch(r"cdk_chime_messaging-[^/]*\.dist-info/sboms/cdk-chime-messaging\.cdx\.json", name)
    component, *scripts = json.loads(archive.read(name))["components"]
    assert (component["name"], component["purl"]) == ("crhelper", "pkg:pypi/crhelper@2.0.12")
    listed = {file["name"]: file["hashes"] for file in component["components"]}
    bundled = [name for name in archive.namelist() if name.startswith("cdk_chime_messaging/_lambda/crhelper/")]
    assert listed == {
        name: [{"alg": "SHA-256", "content": hashlib.sha256(archive.read(name)).hexdigest()}] for name in bundled
    }
    assert "cdk_chime_messaging/_lambda/crhelper/resource_helper.py" in listed
    assert [script["purl"] for script in scripts] == ["pkg:npm/htmx.org@2.0.11", "pkg:npm/htmx-ext-sse@2.2.4"]
    for script in scripts:
        (file,) = script["components"]
        assert file["hashes"][0]["content"] == hashlib.sha256(archive.read(file["name"])).hexdigest()


def test_build_rejects_changed_crhelper(tmp_path: Path) -> None:
    """The build fails with the command that repairs it."""
    installed = Path(str(importlib.metadata.distribution("crhelper").locate_file("")))
    for name in ("crhelper", "crhelper-2.0.12.dist-info"):
        shutil.copytree(installed / name, tmp_path / "changed" / name)
    changed = tmp_path / "changed/crhelper/utils.py"
    changed.write_text(changed.read_text() + "\nimport os\n")
    done = build(tmp_path / "out", PYTHONPATH=str(tmp_path / "changed"))
    assert done.returncode != 0
    assert "crhelper/utils.py is not what its RECORD says: pip install --force-reinstall" in done.stderr
    assert list((tmp_path / "out").glob("*.whl")) == []


def test_wheel_and_checkout_have_same_asset(wheel: Path, tmp_path: Path) -> None:
    """The asset's hash is the same from both."""
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    for path in (installed / "cdk_chime_messaging").rglob("*.py"):
        compile(path.read_text(), str(path), "exec")
    assert synth(tmp_path / "a", installed) == synth(tmp_path / "b", ROOT / "constructs")
