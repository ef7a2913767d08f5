"""Puts the Lambda asset, with crhelper inside, and its bill of materials into the wheel."""

from __future__ import annotations

import hashlib
import json
import runpy
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class LambdaAsset(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return  # the checkout's own lambda/ is used; see cdk_chime_messaging._asset
        included = build_data["force_include"]
        source = Path(self.root, "lambda")
        for path in sorted(source.rglob("*.py")):
            name = path.relative_to(source)
            if name.parts[0] != "crhelper":
                included[str(path)] = f"cdk_chime_messaging/_lambda/{name}"
        # The package itself cannot be imported here: it needs aws-cdk-lib.
        crhelper = runpy.run_path(str(Path(self.root, "constructs/cdk_chime_messaging/_crhelper.py")))
        files: dict[str, bytes] = crhelper["files"]()
        self._staged = tempfile.TemporaryDirectory()
        staged = Path(self._staged.name)
        for name, content in files.items():
            path = staged / name  # the very bytes that were looked at, whatever becomes of the installed ones
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            included[str(path)] = f"cdk_chime_messaging/_lambda/{name}"
        bill = staged / "cdk-chime-messaging.cdx.json"
        bill.write_text(
            json.dumps(bill_of_materials(self.metadata.version, crhelper["VERSION"], files), indent=1) + "\n"
        )
        build_data["sbom_files"].append(str(bill))  # PEP 770: hatchling puts it into .dist-info/sboms/

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        staged = getattr(self, "_staged", None)
        if staged is not None:
            staged.cleanup()


def bill_of_materials(version: str, crhelper_version: str, files: dict[str, bytes]) -> dict[str, Any]:
    """Return what the wheel carries, in CycloneDX: this package, and crhelper inside the Lambda asset."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": _library("cdk-chime-messaging", version)},
        "components": [
            {
                **_library("crhelper", crhelper_version),
                "description": "in cdk_chime_messaging/_lambda/crhelper, unchanged, with its licence",
                "components": [
                    {
                        "type": "file",
                        "name": f"cdk_chime_messaging/_lambda/{name}",
                        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}],
                    }
                    for name, content in sorted(files.items())
                ],
            }
        ],
    }


def _library(name: str, version: str) -> dict[str, Any]:
    return {
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
