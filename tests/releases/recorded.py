"""The releases that later ones must know, the oldest first."""

from __future__ import annotations

from typing import NamedTuple


class Release(NamedTuple):
    """A release, by the commit that it was built from."""

    commit: str
    asset_sha256: str
    """Of assets/<commit>.zip: the Lambda asset as that release's library bundles it."""
    values_sha256: str
    """Of what golden.json says that this release was the first to derive."""


RELEASES = (
    Release(
        "f3e6d21",
        "bcc360a0c1e52af36f598f75937616911841c5235945098bdc2d8eb81b6cc25c",
        "994c36ba48fd99378c7d1974e60566d248645e0c3c294d3532b19ad720e58388",
    ),
    Release(
        "3ad5b45",
        "e6178222aefc99343c7e4217adfdfb788a6885b180d1d5193e517e2c8bd96684",
        "5a8f77eecd6a9a1d0c585a3dee25b8ba61081d4e1db39147501ceba4d2a3cc1f",
    ),
)
