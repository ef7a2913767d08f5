"""Puts the Lambda asset, with crhelper inside, and its software bill of materials into the wheel.

hatchling puts the bill where PEP 770 wants it. A file named in `sbom-files` would have to be in the repository, but
this one holds the hashes of what the build bundles, so it is written here. No CycloneDX library writes it: whoever
builds from the sdist would have to install that, too.
"""

from __future__ import annotations

import hashlib
import json
import runpy
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ASSET = "cdk_chime_messaging/_lambda"


class LambdaAssetHook(BuildHookInterface[Any]):
    """The build hook that hatchling finds in this file."""

    _staged: tempfile.TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the handler's files, crhelper's files and the bill of materials to the wheel."""
        if version == "editable":
            return  # the checkout's own lambda/ is used; see cdk_chime_messaging._asset
        included = build_data["force_include"]
        source = Path(self.root, "lambda")
        for path in sorted(source.rglob("*.py")):
            name = path.relative_to(source)
            if name.parts[0] != "crhelper":
                included[str(path)] = f"{ASSET}/{name}"
        # The package itself cannot be imported here: it needs aws-cdk-lib.
        crhelper = runpy.run_path(str(Path(self.root, "constructs/cdk_chime_messaging/_crhelper.py")))
        files: dict[str, bytes] = crhelper["files"]()
        self._staged = tempfile.TemporaryDirectory()
        staged = Path(self._staged.name)
        for file, content in files.items():
            path = staged / file  # the very bytes that were verified, whatever becomes of the installed ones
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            included[str(path)] = f"{ASSET}/{file}"
        bill = staged / "cdk-chime-messaging.cdx.json"
        materials = bill_of_materials(self.metadata.version, crhelper["VERSION"], files)
        bill.write_text(json.dumps(materials, indent=1) + "\n")
        build_data["sbom_files"].append(str(bill))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was put together for the wheel."""
        if self._staged is not None:
            self._staged.cleanup()


def bill_of_materials(version: str, crhelper_version: str, files: dict[str, bytes]) -> dict[str, Any]:
    """Return what the wheel carries, in CycloneDX: this package, and crhelper inside the Lambda asset."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": library("cdk-chime-messaging", version)},
        "components": [
            {
                **library("crhelper", crhelper_version),
                "description": f"in {ASSET}/crhelper, unchanged, with its license",
                "components": [
                    {
                        "type": "file",
                        "name": f"{ASSET}/{name}",
                        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}],
                    }
                    for name, content in sorted(files.items())
                ],
            }
        ],
    }


def library(name: str, version: str) -> dict[str, Any]:
    """Return a package of PyPI as a component."""
    return {
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
