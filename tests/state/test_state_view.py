"""The console's view of the state: what is kept, and its forms."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from chime_local.engine import Engine
from local.chime_console import Console

APP = {"Kind": "AppInstance", "AppInstanceArn": "arn:aws:chime:us-east-1:000000000000:app-instance/a", "Name": "A"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "state"


@pytest.fixture(scope="module")
def view(folder: Path) -> Iterator[Console]:
    with Engine(state=folder) as engine:
        yield Console(engine)


def submit(view: Console, path: str, **fields: str) -> tuple[int, str]:
    """Send a form as htmx does."""
    headers = {
        "Authorization": f"Bearer {view.token}",
        "X_Chime_Console": "1",
        "HX_Request": "true",
        "Content_Type": "application/x-www-form-urlencoded",
    }
    status, _, body = view.send(f"api/{path}", urlencode(fields).encode(), **headers)
    return status, body.decode()


def test_view_names_the_folder(view: Console, folder: Path) -> None:
    assert f"All but what was recorded is kept over restarts in <code>{folder}</code>" in view.page("state")


def test_snapshot_is_saved_and_loaded_by_forms(view: Console, folder: Path) -> None:
    assert submit(view, "snapshots", name="base") == (200, '<p class="done">Saved the snapshot base.</p>')
    assert 'value="base"' in view.page("state")
    status, sentence = submit(view, "snapshots/load", name="base")
    assert status == 200
    assert "Loaded the snapshot base of 20" in sentence
    (folder / "snapshots/base/current.json").write_text("{}")
    page = view.page("state")
    assert "current.json is damaged" in page
    assert 'value="base"' not in page
    status, sentence = submit(view, "snapshots/load", name="base")
    assert (status, "is damaged" in sentence) == (409, True)


def test_seed_is_applied_by_a_form(view: Console) -> None:
    status, sentence = submit(view, "seed", file="the seed", text=f"{json.dumps(APP)}\r\n\r\n")
    assert (status, sentence) == (200, '<p class="done">Added 1 AppInstance.</p>')
    status, sentence = submit(view, "seed", file="<b>.ndjson", text="{}")
    assert status == 409
    assert sentence.startswith('<p class="error">&lt;b&gt;.ndjson, line 1: Kind is None')
