"""A connection to an object store that is well, slow, frozen or gone."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from random import Random
from typing import Any

CHUNK_BYTES = 1 << 16


class Proxy:
    """Passes a port of loopback on to another one, as well as its state says: well, slow, frozen or gone."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._state = "well"
        self._tasks: set[asyncio.Task[None]] = set()
        self._random = Random(target)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        server = self._run(self._serve())
        self.port: int = server.sockets[0].getsockname()[1]

    def become(self, state: str) -> None:
        """From now on; when it is gone, every connection breaks and every new one at once."""
        self._state = state
        if state == "gone":
            self._loop.call_soon_threadsafe(self._break)

    def close(self) -> None:
        self.become("gone")
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self, work: Coroutine[Any, Any, asyncio.Server]) -> asyncio.Server:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _serve(self) -> asyncio.Server:
        return await asyncio.start_server(self._accept, "127.0.0.1", 0)

    def _break(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            if self._state != "gone":
                await self._pass(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, there = await asyncio.open_connection("127.0.0.1", self._target)
        pumps = [asyncio.create_task(self._pump(reader, there)), asyncio.create_task(self._pump(back, writer))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            there.close()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(CHUNK_BYTES):
                while self._state == "frozen":
                    await asyncio.sleep(0.05)
                if self._state == "slow":
                    await asyncio.sleep(self._random.uniform(0.05, 0.5))
                sink.write(data)
                await sink.drain()
