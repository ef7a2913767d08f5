"""The Lambda asset: what is in it, and that it is the same wherever it comes from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from cdk_chime_messaging import _asset


def test_content() -> None:
    """The asset holds the entry point, the handler and crhelper with its licence, and no bytecode."""
    names = {str(path.relative_to(_asset.directory())) for path in Path(_asset.directory()).rglob("*")}
    assert {"index.py", "chime_channel/_plan.py", "crhelper/resource_helper.py", "crhelper/LICENSE"} <= names
    assert not any("__pycache__" in name for name in names)


def test_runs_in_an_isolated_interpreter(tmp_path: Path) -> None:
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
