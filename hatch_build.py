"""Puts the Lambda asset, with crhelper inside, into the wheel."""

from __future__ import annotations

import importlib.metadata
import json
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class LambdaAsset(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return  # the checkout's own lambda/ is used; see cdk_chime_messaging._asset
        files = build_data["force_include"]
        source = Path(self.root, "lambda")
        for path in sorted(source.rglob("*.py")):
            name = path.relative_to(source)
            if name.parts[0] != "crhelper":
                files[str(path)] = f"cdk_chime_messaging/_lambda/{name}"
        bill = Path(tempfile.mkdtemp(), "sbom.cdx.json")
        bill.write_text(json.dumps(bill_of_materials(self.metadata.version), indent=1) + "\n")
        files[str(bill)] = "cdk_chime_messaging/sbom.cdx.json"
        crhelper = importlib.metadata.distribution("crhelper")
        for entry in crhelper.files or []:
            if entry.parts[0] == "crhelper" and entry.suffix == ".py":
                files[str(entry.locate())] = f"cdk_chime_messaging/_lambda/{entry}"
            elif entry.name in ("LICENSE", "NOTICE"):
                files[str(entry.locate())] = f"cdk_chime_messaging/_lambda/crhelper/{entry.name}"


def bill_of_materials(version: str) -> dict[str, Any]:
    """Say what the wheel carries, in CycloneDX: this package, and crhelper inside the Lambda asset."""
    crhelper = importlib.metadata.distribution("crhelper")
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "name": "cdk-chime-messaging",
                "version": version,
                "purl": f"pkg:pypi/cdk-chime-messaging@{version}",
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": [
            {
                "type": "library",
                "name": "crhelper",
                "version": crhelper.version,
                "purl": f"pkg:pypi/crhelper@{crhelper.version}",
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "description": "in cdk_chime_messaging/_lambda/crhelper, unchanged, with its licence",
            }
        ],
    }
