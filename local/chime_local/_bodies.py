"""Bodies of requests: read in bounded time and, while nobody knows who sends them, in bounded memory."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from chime_local._error_responses import RefusedError
from chime_local.chime.protocol import Receive

MAX_BODY_SECONDS = 60.0
"""Time in which a whole body must be there, so that nobody holds what it occupies by sending slowly."""
MAX_UNVERIFIED_BYTES = 200_000_000
"""Of all bodies together whose sender is not proved; nearly three of the largest that are taken."""
_MAX_BYTES_IN_MEMORY = 1_000_000
"""Of one body whose sender is not proved; a longer one is in a file, of which there must not be many either."""


async def read_body(
    receive: Receive, headers: Mapping[str, str], max_bytes: int, append: Callable[[bytes], object]
) -> None:
    """Read a body that is at most so long; the announced length is enough to refuse it."""
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length[:20]) > max_bytes:
        raise _too_long(max_bytes)
    try:
        async with asyncio.timeout(MAX_BODY_SECONDS):
            await _read(receive, max_bytes, append)
    except TimeoutError:
        text = f"The body was not there after {MAX_BODY_SECONDS:g} seconds."
        raise RefusedError(400, "RequestTimeout", text) from None  # S3's status and code (D)


async def _read(receive: Receive, max_bytes: int, append: Callable[[bytes], object]) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        if message.get("type") == "http.disconnect":
            raise RefusedError(400, "IncompleteBody", "The connection ended before the body did.")
        part = message.get("body", b"")
        size += len(part)
        if size > max_bytes:
            raise _too_long(max_bytes)
        append(part)
        more = message.get("more_body", False)


def _too_long(max_bytes: int) -> RefusedError:
    return RefusedError(413, "RequestEntityTooLarge", f"The body has more than {max_bytes} bytes.")


class UnverifiedBody:
    """A body whose sender is not proved yet."""

    def __init__(self, pool: UnverifiedBodies) -> None:
        self.size = 0
        self._pool = pool
        self._is_dropped = False
        self._hash = hashlib.sha256()
        self._file = tempfile.SpooledTemporaryFile(max_size=_MAX_BYTES_IN_MEMORY)  # noqa: SIM115 - `drop` closes it

    @property
    def sha256(self) -> str:
        """The hash of what was read, in hexadecimal."""
        return self._hash.hexdigest()

    def append(self, part: bytes) -> None:
        """Keep a part; raises RefusedError if this is the largest body when all together are too large."""
        if not self._is_dropped:
            self.size += len(part)
            self._pool.make_room(len(part))
        if self._is_dropped:
            text = "There are too many long requests at once whose sender is not verified yet; try again."
            raise RefusedError(429, "Throttling", text)
        self._hash.update(part)
        self._file.write(part)

    def read(self) -> bytes:
        """Return the whole body."""
        self._file.seek(0)
        return self._file.read()

    def drop(self) -> None:
        """Forget what was read."""
        self._is_dropped = True
        self._file.close()


class UnverifiedBodies:
    """All bodies whose sender is not proved yet; together they hold at most MAX_UNVERIFIED_BYTES.

    Where they would hold more, the largest is dropped: a flood of long ones takes no room from others' short ones.
    """

    def __init__(self) -> None:
        self.size = 0
        """How many bytes are held."""
        self._bodies: set[UnverifiedBody] = set()

    @contextmanager
    def hold(self) -> Iterator[UnverifiedBody]:
        """Hold a body until the end of the block, when it is either verified or refused."""
        body = UnverifiedBody(self)
        self._bodies.add(body)
        try:
            yield body
        finally:
            self._drop(body)

    def make_room(self, count: int) -> None:
        """Count bytes that a body has just got, and drop the largest bodies until all together are small enough."""
        self.size += count
        while self.size > MAX_UNVERIFIED_BYTES:
            self._drop(max(self._bodies, key=lambda body: body.size))

    def _drop(self, body: UnverifiedBody) -> None:
        if body in self._bodies:
            self._bodies.remove(body)
            self.size -= body.size
        body.drop()
