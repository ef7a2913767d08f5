"""The Lambda asset: what is in it, and that it is the same wherever it comes from."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_s3_assets as assets
from aws_cdk.assertions import Template

from cdk_chime_messaging import ChannelProvider, _asset, _crhelper


def contents(directory: str) -> dict[str, bytes]:
    """Return the files of a directory."""
    paths = (path for path in Path(directory).rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in paths}


def hashed(directory: str) -> str:
    """Return the hash that the asset of a directory has."""
    return assets.Asset(Stack(), "A", path=directory, exclude=["**/__pycache__", "*.pyc"]).asset_hash


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let the asset be staged in a folder of the test's own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    _asset.directory.cache_clear()
    yield tmp_path
    _asset.directory.cache_clear()


def test_asset_holds_entry_point_handler_and_crhelper() -> None:
    """The asset holds the entry point, the handler and crhelper with its license, and no bytecode."""
    names = {str(path.relative_to(_asset.directory())) for path in Path(_asset.directory()).rglob("*")}
    assert {"index.py", "chime_handler/channel/plan.py", "crhelper/resource_helper.py", "crhelper/LICENSE"} <= names
    assert not any("__pycache__" in name for name in names)


def test_entry_point_imports_with_nothing_but_asset_and_runtime(tmp_path: Path) -> None:
    """The entry point imports with nothing at hand but the asset and what Lambda's runtime brings (boto3)."""
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    import boto3

    packages = Path(boto3.__file__).parent.parent
    for name in ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six.py"):
        (runtime / name).symlink_to(packages / name)
    code = (
        f"import sys; sys.path[:0] = [{_asset.directory()!r}, {str(runtime)!r}]; import index; print(index.handler)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "handler" in done.stdout


def test_two_synths_share_one_staging_folder(fresh: Path) -> None:
    """Two synths of the same code share one folder, and leave nothing else behind."""
    first = _asset.directory()
    _asset.directory.cache_clear()
    assert _asset.directory() == first
    assert [str(path) for path in fresh.iterdir()] == [first]


@pytest.mark.parametrize("name", ["boto3.py", "index.py", "chime_handler/channel/plan.py"])
def test_foreign_files_stay_out(fresh: Path, name: str) -> None:
    """What somebody else put into the staging folder, which all users can guess, never becomes Lambda code."""
    first = _asset.directory()
    expected = contents(first)
    Path(first, name).write_text("raise SystemExit('not ours')")
    _asset.directory.cache_clear()
    assert contents(_asset.directory()) == expected


def test_staging_folder_that_is_a_link_is_not_used(fresh: Path) -> None:
    """A staging folder that is a link is not used, though it leads to the right files."""
    first = Path(_asset.directory())
    first.rename(fresh / "elsewhere")
    first.symlink_to(fresh / "elsewhere")
    _asset.directory.cache_clear()
    assert not Path(_asset.directory()).is_symlink()


def test_packaged_asset_has_the_hash_of_the_checkouts(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A packaged asset has the checkout's hash, also when pip compiled it: no update without a change."""
    staged = Path(_asset.directory())
    packaged = fresh / "_lambda"
    for name, content in contents(str(staged)).items():
        path = packaged / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (packaged / "__pycache__").mkdir()
    (packaged / "__pycache__/index.cpython-311.pyc").write_bytes(b"compiled")
    monkeypatch.setattr(_asset, "_PACKAGED", packaged)
    _asset.directory.cache_clear()
    assert _asset.directory() == str(packaged)
    assert hashed(_asset.directory()) == hashed(str(staged))


def _change(folder: Path) -> None:
    changed = folder / "crhelper/utils.py"
    changed.write_text(changed.read_text() + "# more")


def _change_with_record(folder: Path) -> None:
    _change(folder)
    digest = hashlib.sha256((folder / "crhelper/utils.py").read_bytes()).digest()
    written = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    record = folder / "crhelper-2.0.12.dist-info/RECORD"
    record.write_text(
        re.sub("crhelper/utils.py,sha256=[^,]*", f"crhelper/utils.py,sha256={written}", record.read_text())
    )


def _add_with_record(folder: Path) -> None:
    (folder / "crhelper/more.py").write_text("")
    record = folder / "crhelper-2.0.12.dist-info/RECORD"
    empty = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
    record.write_text(f"{record.read_text()}crhelper/more.py,sha256={empty},0\n")


def _forget(folder: Path, pattern: str, by: str) -> None:
    record = folder / "crhelper-2.0.12.dist-info/RECORD"
    record.write_text(re.sub(pattern, by, record.read_text()))


TAMPERED: dict[str, tuple[Callable[[Path], object], str]] = {
    "changed file": (_change, "crhelper/utils.py is not what its RECORD says"),
    "changed license": (
        lambda folder: (folder / "crhelper-2.0.12.dist-info/LICENSE").write_text("mine"),
        "LICENSE is not what its RECORD says",
    ),
    "missing file": (lambda folder: (folder / "crhelper/utils.py").unlink(), "crhelper/utils.py cannot be read"),
    "no RECORD": (
        lambda folder: (folder / "crhelper-2.0.12.dist-info/RECORD").unlink(),
        "not installed as it was published",
    ),
    "no hash in RECORD": (
        lambda folder: _forget(folder, "(crhelper/utils.py),sha256=[^,]*", r"\1,"),
        "crhelper/utils.py is not what its RECORD says",
    ),
    "file left out of RECORD": (
        lambda folder: _forget(folder, "crhelper/utils.py,.*\n", ""),
        "not installed as it was published",
    ),
    "file and RECORD changed": (_change_with_record, "not installed as it was published"),
    "file and RECORD added": (_add_with_record, "not installed as it was published"),
    "another version": (
        lambda folder: (folder / "crhelper-2.0.12.dist-info/METADATA").write_text(
            "Name: crhelper\nVersion: 2.0.11\n"
        ),
        "crhelper 2.0.11 is installed",
    ),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_crhelper_that_is_not_as_published_is_refused(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changed, half installed or of another version: it never gets into the asset; the error says what to do."""
    installed = Path(str(importlib.metadata.distribution("crhelper").locate_file("")))
    for name in ("crhelper", "crhelper-2.0.12.dist-info"):
        shutil.copytree(installed / name, tmp_path / name)
    copy = importlib.metadata.PathDistribution(tmp_path / "crhelper-2.0.12.dist-info")
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: copy)
    assert _crhelper.files()
    change, text = TAMPERED[how]
    change(tmp_path)
    with pytest.raises(RuntimeError, match=rf"{text}.*: pip install --force-reinstall crhelper==2\.0\.12"):
        _crhelper.files()


def test_files_beside_crhelper_stay_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody put into crhelper's folder is not in its RECORD, and not in the asset."""
    installed = Path(str(importlib.metadata.distribution("crhelper").locate_file("")))
    for name in ("crhelper", "crhelper-2.0.12.dist-info"):
        shutil.copytree(installed / name, tmp_path / name)
    (tmp_path / "crhelper/more.py").write_text("raise SystemExit")
    copy = importlib.metadata.PathDistribution(tmp_path / "crhelper-2.0.12.dist-info")
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: copy)
    assert "crhelper/more.py" not in _crhelper.files()


def test_missing_crhelper_is_an_error_that_says_how_to_get_it(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout without crhelper says how to get it."""

    def missing(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    with pytest.raises(RuntimeError, match=r"pip install crhelper==2\.0\.12"):
        _asset.directory()


def test_a_folder_of_another_user_is_not_trusted(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner could change the files between this look and the upload, so the code is staged anew elsewhere."""
    first = _asset.directory()
    expected = contents(first)
    monkeypatch.setattr(os, "getuid", lambda: Path(first).stat().st_uid + 1)
    _asset.directory.cache_clear()
    second = _asset.directory()
    assert second != first
    assert contents(second) == expected


def _by_link(folder: Path, aside: Path) -> None:
    (folder / "index.py").rename(aside)
    (folder / "index.py").symlink_to(aside)


def _more_by_link(folder: Path, aside: Path) -> None:
    aside.mkdir()
    (aside / "mine.py").write_text("raise SystemExit")
    (folder / "more").symlink_to(aside)


@pytest.mark.parametrize("link", [_by_link, _more_by_link])
def test_a_folder_that_holds_links_is_not_trusted(fresh: Path, link: Callable[[Path, Path], None]) -> None:
    """What a link leads to can be changed from elsewhere."""
    first = _asset.directory()
    link(Path(first), fresh / "aside")
    _asset.directory.cache_clear()
    assert _asset.directory() != first
    assert not [path for path in Path(_asset.directory()).rglob("*") if path.is_symlink()]


def test_a_missing_file_is_staged_again(fresh: Path) -> None:
    """A folder from which something was cleaned away is not used."""
    first = _asset.directory()
    expected = contents(first)
    Path(first, "index.py").unlink()
    _asset.directory.cache_clear()
    assert contents(_asset.directory()) == expected


def test_a_checkout_brings_no_crhelper_of_its_own(
    fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the crhelper that was verified gets into the asset, whatever lies beside the handler."""
    checkout = tmp_path / "checkout"
    (checkout / "crhelper").mkdir(parents=True)
    (checkout / "index.py").write_text("handler = print")
    (checkout / "crhelper/more.py").write_text("raise SystemExit")
    monkeypatch.setattr(_asset, "_CHECKOUT", checkout)
    names = contents(_asset.directory()).keys()
    assert {"index.py", "crhelper/resource_helper.py"} <= names
    assert "crhelper/more.py" not in names


def test_an_installation_without_the_handler_is_refused(
    fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Lambda without its entry point would leave each request unanswered until its timeout."""
    monkeypatch.setattr(_asset, "_CHECKOUT", tmp_path / "nowhere")
    with pytest.raises(RuntimeError, match="install the package anew"):
        _asset.directory()


def test_bytecode_beside_the_handler_does_not_change_the_function(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether pip has compiled the package makes no update of the Lambda."""
    staged = Path(_asset.directory())
    packaged = fresh / "_lambda"
    shutil.copytree(staged, packaged)
    monkeypatch.setattr(_asset, "_PACKAGED", packaged)
    codes = []
    for compiled in (False, True):
        if compiled:
            (packaged / "__pycache__").mkdir()
            (packaged / "__pycache__/index.cpython-311.pyc").write_bytes(b"compiled")
            (packaged / "index.pyc").write_bytes(b"compiled")
        _asset.directory.cache_clear()
        stack = Stack(App(), "Demo")
        ChannelProvider(stack, "P")
        (function,) = Template.from_stack(stack).find_resources("AWS::Lambda::Function").values()
        codes.append(function["Properties"]["Code"])
    assert codes[0] == codes[1]
