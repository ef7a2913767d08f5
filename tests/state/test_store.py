"""A state folder on the disk: whole after a kill at any moment, refused where it is damaged."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chime_local.state.errors import StateError
from chime_local.state.store import Content, Store

BEFORE = Content({"a": b"1", "b": b"2"}, {})
LONG = b"x" * 1000
AFTER = Content({"a": b"1", "b": b"3", "c": b"4"}, {})


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


def read(folder: Path) -> dict[str, bytes] | None:
    with Store(folder) as store:
        content = store.read()
    return dict(content.parts) if content else None


def write(folder: Path, content: Content) -> None:
    with Store(folder) as store:
        store.read()
        store.write(content)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the state BEFORE."""
    write(tmp_path / "state", BEFORE)
    return tmp_path / "state"


@pytest.fixture
def kill_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], list[str]]]:
    """Have a process end at the nth call that changes the disk."""
    done: list[str] = []

    def at(number: int) -> list[str]:
        done.clear()

        def stopping(owner: Any, name: str) -> None:
            original = getattr(owner, name)

            def called(*given: Any, **options: Any) -> Any:
                if len(done) == number:
                    raise Killed
                done.append(name)
                return original(*given, **options)

            monkeypatch.setattr(owner, name, called)

        for owner, name in ((os, "fsync"), (os, "open"), (Path, "replace"), (Path, "unlink"), (Path, "mkdir")):
            stopping(owner, name)
        return done

    yield at
    monkeypatch.undo()


def test_what_is_written_is_read(folder: Path) -> None:
    assert read(folder) == BEFORE.parts
    write(folder, AFTER)
    assert read(folder) == AFTER.parts


def test_long_bytes_are_kept_once(folder: Path) -> None:
    with Store(folder) as store:
        store.read()
        store.write(Content({"a": b"1"}, {_digest(LONG): LONG}))
        first = (folder / "objects" / _digest(LONG)).stat().st_ino
        store.write(Content({"a": b"2"}, {_digest(LONG): LONG}))
        assert (folder / "objects" / _digest(LONG)).stat().st_ino == first
        content = store.read()
    assert content is not None
    assert content.blobs == {_digest(LONG): LONG}
    assert len(list((folder / "objects").iterdir())) == 2


def _digest(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("first", [True, False])
def test_killed_at_any_call_the_folder_holds_one_whole_state(
    tmp_path: Path, kill_at: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    for number in range(200):
        folder = tmp_path / f"{number}"
        if not first:
            write(folder, BEFORE)
        kill_at(number)
        try:
            write(folder, AFTER)
            survived = True
        except Killed:
            survived = False
        monkeypatch.undo()
        found = read(folder) if folder.exists() else None
        assert found in ((None, {}, AFTER.parts) if first else (BEFORE.parts, AFTER.parts)), number
        # The next engine writes over what the killed one has left.
        write(folder, AFTER)
        assert read(folder) == AFTER.parts
        assert not list(folder.rglob(".new-*"))
        if survived:
            assert number > 10
            return
    pytest.fail("it never ended")


def remove(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def change(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [remove, cut, change, empty])
@pytest.mark.parametrize("which", ["current.json", "objects/*"])
def test_damaged_folder_is_refused_and_left(folder: Path, damage: Callable[[Path], None], which: str) -> None:
    damage(next(iter(sorted(folder.glob(which)))))
    left = files(folder)
    with pytest.raises(StateError, match="left as it was") as refused:
        read(folder)
    assert str(folder) in str(refused.value)
    assert str(refused.value).count(". ") == 0
    assert files(folder) == left


def rewrite(folder: Path, **changes: Any) -> None:
    path = folder / "current.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": 2}, "format 2"),
        ({"format": "1"}, "is not what an engine has written"),
        ({"ministack": "1.0.0"}, "content has changed"),
        ({"parts": []}, "content has changed"),
        ({"parts": {"a": "../../etc/passwd"}}, "content has changed"),
    ],
)
def test_changed_manifest_is_refused(folder: Path, changes: dict[str, Any], sentence: str) -> None:
    rewrite(folder, **changes)
    with pytest.raises(StateError, match=sentence):
        read(folder)


def test_folder_in_use_is_refused(folder: Path) -> None:
    with Store(folder), pytest.raises(StateError, match="in use by another engine"):
        read(folder)


def test_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(StateError, match=r"is not a state folder: it holds letter\.txt; it is left as it was"):
        read(tmp_path)
    assert list(files(tmp_path)) == ["letter.txt"]


def test_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(StateError, match="not a folder"):
        read(tmp_path / "state")


def test_folder_that_others_can_write_is_refused(folder: Path) -> None:
    folder.chmod(0o777)
    with pytest.raises(StateError, match="others can read or write it"):
        read(folder)


def test_others_cannot_read_the_secret(folder: Path) -> None:
    assert not any(path.stat().st_mode & 0o077 for path in (folder, *folder.rglob("*")))


def test_folder_as_git_checks_it_out_is_refused(folder: Path) -> None:
    """Its Lambdas would run at the start, and everybody with the repository would know the engine's secret."""
    folder.chmod(0o755)
    with pytest.raises(StateError, match="chmod 700 it only if you trust it"):
        read(folder)


@pytest.mark.parametrize("name", ["objects", "current.json"])
def test_link_in_a_state_folder_is_refused_and_what_it_leads_to_stays(
    folder: Path, tmp_path: Path, name: str
) -> None:
    """Saving removes what no state needs: through a link those would be the files of another folder."""
    precious = tmp_path / "precious"
    (folder / name).rename(precious)
    (folder / name).symlink_to(precious)
    with pytest.raises(StateError, match=f"{name} is a link, which no engine makes"):
        read(folder)
    assert precious.exists()


def test_saving_removes_only_files_with_names_of_its_own(folder: Path) -> None:
    thesis = folder / "objects" / "thesis.txt"
    thesis.write_text("mine")
    write(folder, AFTER)
    assert thesis.read_text() == "mine"
