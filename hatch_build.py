"""Puts into the wheel: the Lambda asset with crhelper inside, htmx for the console, a bill of both.

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
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ASSET = "cdk_chime_messaging/_lambda"
SCRIPTS = "chime_local/console/static/vendor"
NPM_PACKAGES = {"htmx.org": "dist/htmx.min.js", "htmx-ext-sse": "dist/sse.min.js"}
"""The packages of package.json that the console's pages load, and the one file of each."""


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
        scripts = console_scripts(Path(self.root))
        for script in scripts:
            included[str(script.source)] = script.target
        bill = staged / "cdk-chime-messaging.cdx.json"
        materials = bill_of_materials(self.metadata.version, crhelper["VERSION"], files, scripts)
        bill.write_text(json.dumps(materials, indent=1) + "\n")
        build_data["sbom_files"].append(str(bill))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was put together for the wheel."""
        if self._staged is not None:
            self._staged.cleanup()


class Script(NamedTuple):
    """A file of a package of npm."""

    package: str
    version: str
    source: Path
    target: str


def console_scripts(root: Path) -> list[Script]:
    """Find the files of npm's packages at the versions of package.json; raises RuntimeError where they are not."""
    wanted = json.loads((root / "package.json").read_text())["devDependencies"]
    found = []
    for package, file in NPM_PACKAGES.items():
        folder = root / "node_modules" / package
        description = folder / "package.json"
        version = json.loads(description.read_text())["version"] if description.exists() else "missing"
        if version != wanted[package]:
            raise RuntimeError(f"the wheel needs {package} {wanted[package]}, here it is {version}: run npm ci")
        found.append(Script(package, version, folder / file, f"{SCRIPTS}/{Path(file).name}"))
    return found


def bill_of_materials(
    version: str, crhelper_version: str, files: dict[str, bytes], scripts: list[Script]
) -> dict[str, Any]:
    """Return what the wheel carries, in CycloneDX: this package, crhelper in the asset, the console's scripts."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": library("cdk-chime-messaging", version)},
        "components": [
            {
                **library("crhelper", crhelper_version),
                "description": f"in {ASSET}/crhelper, unchanged, with its license",
                "components": [component(f"{ASSET}/{name}", content) for name, content in sorted(files.items())],
            },
            *(
                {
                    "type": "library",
                    "name": script.package,
                    "version": script.version,
                    "purl": f"pkg:npm/{script.package}@{script.version}",
                    "licenses": [{"license": {"id": "0BSD"}}],
                    "components": [component(script.target, script.source.read_bytes())],
                }
                for script in scripts
            ),
        ],
    }


def component(name: str, content: bytes) -> dict[str, Any]:
    """Return a file as a component."""
    return {
        "type": "file",
        "name": name,
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}],
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
