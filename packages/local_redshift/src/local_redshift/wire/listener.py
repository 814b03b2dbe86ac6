"""The port that clients connect to, which can be shut for a while."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BACKLOG = 200


class Listener:
    """A bound socket, and what is made of each connection to it."""

    def __init__(self, bound: socket.socket, protocol: Callable[[], asyncio.Protocol]) -> None:
        """Describe it; `accept` begins.

        Args:
            bound: socket of the port; closed by `close`.
            protocol: makes the protocol of one connection.
        """
        self.address = bound.getsockname()
        self._bound = bound
        self._protocol = protocol
        self._server: asyncio.Server | None = None
        self._again: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()

    async def accept(self) -> None:
        """Accept connections from now on."""
        if self._again is not None:
            self._again.cancel()
            self._again = None
        await self._open()

    def refuse(self, seconds: float) -> None:
        """Refuse connections for so long; those that are open stay open."""
        self.close()
        # A socket that is bound and does not listen keeps the port from other programs.
        self._bound = socket.socket(self._bound.family)
        self._bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._bound.bind(self.address)
        self._again = asyncio.get_running_loop().create_task(self._accept_after(seconds))

    def close(self) -> None:
        """Close the port; connections that are open stay open."""
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if self._server is not None:
            self._server.close()
            self._server = None
        self._bound.close()

    async def _accept_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._again = None
        await self._open()

    async def _open(self) -> None:
        async with self._opening:
            if self._server is None:
                loop = asyncio.get_running_loop()
                self._server = await loop.create_server(self._protocol, sock=self._bound, backlog=BACKLOG)
