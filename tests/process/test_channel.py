"""Messages over a socket: whole ones arrive, and nobody at the other end can keep this one waiting or filling up."""

import socket
import threading

import pytest

from numba_course.process.channel import Channel, TooLarge


@pytest.fixture
def ends():
    """A channel, and the bare socket at its other end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Channel(ours, largest=1000), theirs


def framed(message):
    return len(message).to_bytes(8, "big") + message


def test_messages_arrive_whole_and_in_order(ends):
    channel, other = ends
    other.sendall(framed(b"one") + framed(b"") + framed(b"two"))
    assert [channel.take() for _ in range(4)] == [b"one", b"", b"two", None]


def test_a_message_in_pieces_is_not_waited_for(ends):
    channel, other = ends
    for piece in framed(b"slowly"):
        assert channel.take() is None
        assert channel.receive(0) is None
        other.sendall(bytes([piece]))
    assert channel.take() == b"slowly"


def test_a_message_that_is_too_large_is_refused_as_soon_as_it_is_announced(ends):
    channel, other = ends
    other.sendall((1001).to_bytes(8, "big"))
    with pytest.raises(TooLarge, match="1001 bytes, where at most 1000"):
        channel.take()


def test_the_end_is_told_after_the_last_message(ends):
    channel, other = ends
    other.sendall(framed(b"last") + b"half")
    other.close()
    assert channel.take() == b"last"
    for _ in range(2):
        with pytest.raises(EOFError):
            channel.take()


def test_who_reads_nothing_blocks_nobody(ends):
    channel, _other = ends
    channel.post(bytes(10**7))
    channel.flush()
    assert channel.wants_to_write


def test_who_has_gone_blocks_nobody(ends):
    channel, other = ends
    other.close()
    channel.post(b"are you there?")
    channel.flush()
    channel.flush()
    assert not channel.wants_to_write


def test_large_messages_go_to_and_fro():
    ours, theirs = map(Channel, socket.socketpair())
    sent = bytes(range(256)) * 40_000
    echo = threading.Thread(target=lambda: theirs.send(theirs.receive()))
    echo.start()
    ours.send(sent)
    assert ours.receive() == sent
    echo.join()
    ours.close()
    theirs.close()
