"""Records a release: its Lambda asset as it was built, a template, and what it derives. See README.md here."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
GOLDEN = HERE / "golden.json"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def merged(golden: Mapping[str, Any], values: Mapping[str, Any], commit: str) -> dict[str, Any]:
    """Add what a release derives: nothing that is there is changed, and what is derived otherwise now is added.

    Raises:
        SystemExit: the release does not derive what an earlier one did.
    """
    if any(one["since"] == commit for entries in golden.values() for one in entries):
        return dict(golden)  # recorded already
    gone = sorted(set(golden) - set(values))
    if gone:
        raise SystemExit(f"{commit} does not derive {', '.join(gone)}")
    grown = {name: list(entries) for name, entries in golden.items()}
    for name, value in values.items():
        entries = grown.setdefault(name, [])
        if not entries or entries[-1]["value"] != value:
            entries.append({"since": commit, **({"reason": ""} if entries else {}), "value": value})
    return dict(sorted(grown.items()))


def digest(golden: Mapping[str, Any], commit: str) -> str:
    """Return a digest of all that a release was the first to derive."""
    own = [[name, one["value"]] for name, all_ in sorted(golden.items()) for one in all_ if one["since"] == commit]
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()


def write(golden: Mapping[str, Any]) -> None:
    """Write the golden file."""
    GOLDEN.write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")


def _pack(folder: Path, asset: Path) -> None:
    """Pack a folder so that the same files make the same archive."""
    with zipfile.ZipFile(asset, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(one for one in folder.rglob("*") if one.is_file() and one.suffix != ".pyc"):
            packed.writestr(zipfile.ZipInfo(str(path.relative_to(folder)), _LONG_AGO), path.read_bytes(), 8)


def _python(checkout: Path, *arguments: str) -> str:
    """Run Python with a release's library, and today's harness."""
    paths = [checkout / "constructs", ROOT / "tests", ROOT / "local"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), "CDK_VALIDATION": "false"}
    environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))  # Node's, for jsii
    done = subprocess.run([sys.executable, *arguments], env=environ, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def main(commit: str) -> None:
    """Record one commit or tag of this repository."""
    name = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short=7", f"{commit}^{{commit}}"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.strip()
    with tempfile.TemporaryDirectory() as scratch:
        checkout, archive, out = Path(scratch, "checkout"), Path(scratch, "archive.tar"), Path(scratch, "out.json")
        checkout.mkdir()
        tree = ["archive", "--output", str(archive), name, "constructs", "lambda"]
        subprocess.run(["git", "-C", str(ROOT), *tree], check=True)
        subprocess.run(["tar", "-xf", str(archive), "-C", str(checkout)], check=True)
        bundled = _python(checkout, "-c", "from cdk_chime_messaging import _asset; print(_asset.directory())")
        asset = HERE / "assets" / f"{name}.zip"
        asset.parent.mkdir(exist_ok=True)
        _pack(Path(bundled), asset)
        template = HERE / "templates" / f"{name}.json"
        template.parent.mkdir(exist_ok=True)
        _python(checkout, "-m", "releases.probe", str(asset), str(out), str(template))
        recorded = json.loads(out.read_text())
    golden = merged(json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}, recorded, name)
    write(golden)
    sys.stdout.write(
        f'Release("{name}", "{hashlib.sha256(asset.read_bytes()).hexdigest()}", "{digest(golden, name)}"),\n'
    )


if __name__ == "__main__":
    main(sys.argv[1])
