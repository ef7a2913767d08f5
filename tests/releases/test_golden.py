"""What a release derived, every later one derives: nothing in golden.json is altered, lost or derived anew."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from releases import handlers, probe
from releases.record import GOLDEN, digest, merged
from releases.recorded import RELEASES, Release

ROOT = Path(__file__).parent.parent.parent
VALUES: dict[str, list[dict[str, Any]]] = json.loads(GOLDEN.read_text())
COMMITS = [release.commit for release in RELEASES]


def known_to(commit: str) -> dict[str, Any]:
    """Return the values that a release derived, its own and those before it."""
    past = COMMITS[: COMMITS.index(commit) + 1]
    found = {name: [one["value"] for one in entries if one["since"] in past] for name, entries in VALUES.items()}
    return {name: values[-1] for name, values in found.items() if values}


@pytest.fixture(scope="module")
def today() -> dict[str, Any]:
    """Return what the checkout derives."""
    return probe.of_today()


@pytest.mark.parametrize("name", VALUES)
def test_what_releases_derived_is_derived_today(name: str, today: dict[str, Any]) -> None:
    """Ids, marks, tokens, logical ids, property forms, answers and outputs are those of the last release."""
    assert today.get(name) == VALUES[name][-1]["value"]


@pytest.mark.parametrize("release", RELEASES, ids=COMMITS)
def test_no_recorded_value_is_altered_or_lost(release: Release) -> None:
    """The file only grows: what a release was the first to derive is there as it was recorded."""
    assert digest(VALUES, release.commit) == release.values_sha256


@pytest.mark.parametrize("release", RELEASES, ids=COMMITS)
def test_the_assets_of_releases_are_those_that_were_built(release: Release) -> None:
    """The kept Lambda asset of a release has the bytes that its commit comes to."""
    asset = handlers.ASSETS / f"{release.commit}.zip"
    assert hashlib.sha256(asset.read_bytes()).hexdigest() == release.asset_sha256


@pytest.mark.parametrize("commit", COMMITS)
def test_the_kept_handlers_derive_what_was_recorded_of_them(commit: str) -> None:
    """A release's own handler, run again, derives and answers what golden.json says of it."""
    derived = probe.of_handler(handlers.of_release(commit))
    recorded = {name: value for name, value in known_to(commit).items() if not name.startswith("template/")}
    assert derived == recorded


def test_every_difference_between_releases_has_its_reason() -> None:
    """What a release derives otherwise than the one before is a decision that is written down."""
    for name, entries in VALUES.items():
        assert [one["since"] for one in entries] == sorted({one["since"] for one in entries}, key=COMMITS.index)
        for before, after in pairwise(entries):
            assert before["value"] != after["value"], name
            page, _, why = after["reason"].partition(": ")
            assert why, name
            assert (ROOT / page).is_file(), name


def test_recording_a_release_never_changes_what_is_there() -> None:
    """A new release adds values and differences; one that no longer derives a value is refused."""
    golden = {"a": [{"since": "1", "value": "x"}], "b": [{"since": "1", "value": "y"}]}
    grown = merged(golden, {"a": "x", "b": "z", "c": "new"}, "2")
    assert grown == {
        "a": [{"since": "1", "value": "x"}],
        "b": [{"since": "1", "value": "y"}, {"since": "2", "reason": "", "value": "z"}],
        "c": [{"since": "2", "value": "new"}],
    }
    assert merged(grown, {"a": "other", "b": "z", "c": "new"}, "2") == grown
    with pytest.raises(SystemExit, match="does not derive b"):
        merged(golden, {"a": "x"}, "2")
