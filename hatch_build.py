"""Puts the Lambda asset, with crhelper inside, into the wheel."""

from __future__ import annotations

import importlib.metadata
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
        crhelper = importlib.metadata.distribution("crhelper")
        for entry in crhelper.files or []:
            if entry.parts[0] == "crhelper" and entry.suffix == ".py":
                files[str(entry.locate())] = f"cdk_chime_messaging/_lambda/{entry}"
            elif entry.name in ("LICENSE", "NOTICE"):
                files[str(entry.locate())] = f"cdk_chime_messaging/_lambda/crhelper/{entry.name}"
