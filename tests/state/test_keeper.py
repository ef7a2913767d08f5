"""When the engine saves, and what it says where it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from chime_local.cloudformation.running_operations import RunningOperations
from chime_local.state.keeper import Keeper, SavedState
from chime_local.state.store import Content, Store
from chime_local.state.traffic import Traffic, may_change


class World:
    """Has a number as its state, and what hinders its saving."""

    def __init__(self) -> None:
        self.number = 0
        self.error: Exception | None = None
        self.left_out: dict[str, str] = {}

    async def copy_between_requests(self) -> int:
        if self.error:
            raise self.error
        return self.number

    def write(self, copied: int, *, with_secret: bool) -> Content:
        assert with_secret
        return Content({"number": str(copied).encode()}, {}, left_out=self.left_out)


class Kept:
    """A keeper in a folder, with what it depends on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.world, self.operations, self.traffic = World(), RunningOperations(), Traffic()
        world: Any = self.world
        self.keeper = Keeper(SavedState(folder), world, self.operations, self.traffic)

    @property
    def saved(self) -> int:
        content = Store(self.folder).read()
        assert content is not None
        return int(content.parts["number"])

    async def change(self, number: int) -> None:
        self.world.number = number
        with self.traffic.served(changes=True):
            pass

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.02)


def run(folder: Path, body: Callable[[Kept], Awaitable[None]]) -> int:
    """Run a keeper from start to finish; return what is saved then."""
    kept = Kept(folder)

    async def story() -> None:
        await kept.keeper.start()
        await body(kept)
        await kept.keeper.finish()

    asyncio.run(story())
    return kept.saved


def test_change_is_saved(tmp_path: Path) -> None:
    async def body(kept: Kept) -> None:
        assert kept.saved == 0
        await kept.change(1)
        await kept.until(lambda: kept.saved == 1)
        kept.world.number = 2  # by a thread of its own, say

    assert run(tmp_path / "state", body) == 2


def test_operation_in_progress_is_not_saved_not_even_at_the_end(tmp_path: Path) -> None:
    async def body(kept: Kept) -> None:
        kept.operations._running["S"] += 1
        await kept.change(1)
        await asyncio.sleep(1)
        assert kept.saved == 0

    assert run(tmp_path / "state", body) == 0


def test_what_is_being_replaced_is_not_saved(tmp_path: Path) -> None:
    async def body(kept: Kept) -> None:
        async with kept.traffic.held_back():
            await kept.change(1)
            await asyncio.sleep(1)
            assert kept.saved == 0
        await kept.until(lambda: kept.saved == 1)

    assert run(tmp_path / "state", body) == 1


def test_end_of_an_operation_is_reported_when_it_is_saved(tmp_path: Path) -> None:
    async def body(kept: Kept) -> None:
        kept.world.number = 1
        kept.operations.when_ended()
        await kept.operations.wait_while_in_progress(b"Action=DescribeStacks&StackName=S")
        assert kept.saved == 1

    run(tmp_path / "state", body)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), RuntimeError("changed"), KeyError("x")])
def test_what_hinders_saving_is_a_warning_once_and_tried_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    async def body(kept: Kept) -> None:
        kept.world.error = error
        for number in (1, 2):
            await kept.change(number)
            await kept.until(lambda: kept.keeper._due is None and not kept.keeper._changed.is_set())
            await asyncio.sleep(0.1)
        assert kept.saved == 0
        kept.world.error = None
        await kept.change(3)
        await kept.until(lambda: kept.saved == 3)

    assert run(tmp_path / "state", body) == 3
    assert (
        capsys.readouterr().err == f"warning: the state folder {tmp_path / 'state'}: nothing is saved ({error})\n"
    )


def test_service_that_cannot_be_saved_is_named_and_the_rest_is_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def body(kept: Kept) -> None:
        kept.world.left_out = {"iot": "a Lock cannot be kept"}
        await kept.change(1)
        await kept.until(lambda: kept.saved == 1)

    assert run(tmp_path / "state", body) == 1
    assert capsys.readouterr().err.endswith("iot is not saved (a Lock cannot be kept)\n")


@pytest.mark.parametrize(
    ("service", "method", "target", "body", "expected"),
    [
        ("s3", "PUT", "", b"", True),
        ("s3", "GET", "", b"", False),
        ("cloudformation", "POST", "", b"Action=DescribeStacks&StackName=S", False),
        ("cloudformation", "POST", "", b"StackName=S&Action=DeleteStack", True),
        ("ssm", "POST", "AmazonSSM.GetParameter", b"{}", False),
        ("ssm", "POST", "AmazonSSM.PutParameter", b"{}", True),
        ("ssm", "POST", "AmazonSSM.Listen", b"{}", True),
        ("sts", "POST", "", b"Action=GetSessionToken", True),
        ("chime", "POST", "", b"{}", True),
    ],
)
def test_only_what_surely_reads_is_no_change(
    service: str, method: str, target: str, body: bytes, expected: bool
) -> None:
    assert may_change(service, method, {"x-amz-target": target}, body) is expected
