"""Messages between two processes, over a socket: limited in size, and nobody waits for one longer than he wants.

Whoever is at the other end may be anybody: it may send half a message and no more, or one without end, or read
nothing. So what is here never blocks, unless it is told to.
"""

from __future__ import annotations

import select
import socket
from collections import deque
from collections.abc import Iterable
from time import monotonic

LARGEST = 512 << 20  # bytes of one message of a child
PIECE = 1 << 20
_HEAD = 8  # bytes that tell the length of a message
_poll = getattr(select, "poll", None)  # bound here: a session may replace anything later
_select = select.select


class TooLarge(ValueError):
    """A message is larger than the one at this end takes."""


class Channel:
    """One end of a socket, for whole messages.

    Parameters
    ----------
    end : socket
    largest : int
        Bytes that a message from the other end may have.
    """

    def __init__(self, end: socket.socket, largest: int = LARGEST) -> None:
        self._end, self._largest = end, largest
        self._incoming, self._outgoing = bytearray(), deque[memoryview]()
        self._over = False
        end.setblocking(False)

    def fileno(self) -> int:
        """The descriptor of its socket, -1 once it is closed."""
        return self._end.fileno()

    @property
    def wants_to_write(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._outgoing)

    def post(self, message: bytes) -> None:
        """Put a message among those to be sent; `flush` sends them."""
        self._outgoing += memoryview(len(message).to_bytes(_HEAD, "big")), memoryview(message)

    def flush(self) -> None:
        """Send as much as the other end takes now; what it will never take is dropped."""
        try:
            while self._outgoing:
                piece = self._outgoing.popleft()
                sent = self._end.send(piece[:PIECE]) if piece else 0
                if sent < len(piece):
                    self._outgoing.appendleft(piece[sent:])
        except (BlockingIOError, InterruptedError):
            self._outgoing.appendleft(piece)
        except OSError:  # nobody is there; `take` will tell
            self._outgoing.clear()

    def take(self) -> bytes | None:
        """The next message, None if it is not all there yet.

        Raises
        ------
        EOFError
            If the other end is closed and there will be no more.
        TooLarge
            If the message is announced as larger than it may be; nothing of it is kept.
        """
        while True:
            if (message := self._complete()) is not None:
                return message
            try:
                piece = b"" if self._over else self._end.recv(PIECE)
            except (BlockingIOError, InterruptedError):
                return None
            except OSError:
                piece = b""
            if not piece:
                self._over = True
                raise EOFError("the other end is closed")
            self._incoming += piece

    def _complete(self):
        """The first message if it has come as a whole."""
        if len(self._incoming) < _HEAD:
            return None
        size = int.from_bytes(self._incoming[:_HEAD], "big")
        if size > self._largest:
            raise TooLarge(f"a message of {size} bytes, where at most {self._largest} are taken")
        if len(self._incoming) < _HEAD + size:
            return None
        message = bytes(memoryview(self._incoming)[_HEAD : _HEAD + size])
        del self._incoming[: _HEAD + size]
        return message

    def send(self, message: bytes) -> None:
        """Send a message and wait until the other end has taken it; for a process that may wait."""
        self.post(message)
        self.flush()
        while self._outgoing:
            wait([self], None)
            self.flush()

    def receive(self, seconds: float | None = None) -> bytes | None:
        """Wait for a message, at most so long if `seconds` are given; None if it has not come. Raises as `take`."""
        until = None if seconds is None else monotonic() + seconds
        while True:
            self.flush()
            if (message := self.take()) is not None:
                return message
            left = None if until is None else until - monotonic()
            if left is not None and left <= 0:
                return None
            wait([self], left)

    def close(self) -> None:
        """Close this end."""
        self._outgoing.clear()
        self._end.close()


def wait(channels: Iterable[Channel], seconds: float | None) -> None:
    """Wait until one of the channels can be read, or written to where it wants to; at most so many seconds."""
    readers = [channel.fileno() for channel in channels if channel.fileno() >= 0]
    writers = {channel.fileno() for channel in channels if channel.fileno() >= 0 and channel.wants_to_write}
    if _poll is None:  # on Windows
        _select(readers, list(writers), [], seconds)
        return
    poll = _poll()
    for descriptor in readers:
        poll.register(descriptor, select.POLLIN | (select.POLLOUT if descriptor in writers else 0))
    poll.poll(None if seconds is None else max(0, 1000 * seconds))
