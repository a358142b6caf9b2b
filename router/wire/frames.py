"""The frames that routers and backend replicas exchange: many calls over one connection.

A frame is the length of its content, the number of its call, and its kind; then comes the content.
A router opens a connection with HELLO, which holds the token; whoever begins otherwise is refused.
CALL holds the head of a call and its body, WHOLE the head of an answer and its body; a long body
goes on in frames of its own, between which those of other calls fit. A stream is HEAD, PIECE ...,
END. CANCEL ends a call that nobody waits for; CREDIT counts the bytes of a stream that were taken.

A connection on which something else comes is closed: nothing can be told from what follows.
"""

import struct
from typing import Any

import orjson

PART_BYTES = 256 * 2**10  # of a body, in one frame
MOST_BYTES = 2 * PART_BYTES  # of one frame
WINDOW_BYTES = 256 * 2**10  # of a stream, that may be on the way to a router that takes nothing

HELLO, CALL, MORE, CANCEL, CREDIT = 1, 2, 3, 4, 5  # from a router
HEAD, WHOLE, PIECE, END, TORN, REFUSED = 16, 17, 18, 19, 20, 21  # from a replica

VERSION = b"waggle 1 "  # before the token: a replica of another version understands none of it
_HEADER = struct.Struct("<IIB")
_SIZES = struct.Struct("<II")
_HEADER_BYTES = _HEADER.size
_COUNT = struct.Struct("<I")

Frame = tuple[int, int, bytes]  # kind, number of the call, content
_NO_FRAMES: list[Frame] = []


class BadFrame(Exception):
    """What came is no frame that may come here."""


class Splitter:
    """Cuts a stream of bytes into frames. A frame that is too long raises `BadFrame`."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._needed = 0  # bytes that the rest must have before it holds a whole frame

    def split(self, data: bytes) -> list[Frame]:
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return _NO_FRAMES
            data = bytes(self._rest)
            self._rest.clear()
        frames: list[Frame] = []
        at, size = 0, len(data)
        self._needed = _HEADER_BYTES
        while size - at >= _HEADER_BYTES:
            length, number, kind = _HEADER.unpack_from(data, at)
            if length > MOST_BYTES:
                raise BadFrame(f"a frame of {length} bytes: at most {MOST_BYTES} may come")
            begin = at + _HEADER_BYTES
            end = begin + length
            if end > size:
                self._needed = end - at
                break
            frames.append((kind, number, data[begin:end]))
            at = end
        if at < size:
            self._rest += data[at:] if at else data
        return frames


def frame(kind: int, number: int, content: bytes = b"") -> bytes:
    return _HEADER.pack(len(content), number, kind) + content


def with_body(kind: int, number: int, head: bytes, body: bytes) -> tuple[bytes, bytes]:
    """A frame that begins a body, and what of the body must follow in other frames."""
    rest = b""
    size = len(body)
    if size > PART_BYTES:
        body, rest = body[:PART_BYTES], body[PART_BYTES:]
    length = _SIZES.size + len(head) + len(body)
    sizes = _SIZES.pack(len(head), size)
    return b"".join((_HEADER.pack(length, number, kind), sizes, head, body)), rest


def parts_of(body: bytes) -> list[bytes]:
    return [body[at : at + PART_BYTES] for at in range(0, len(body), PART_BYTES)]


def head_and_body(content: bytes) -> tuple[Any, bytes, int]:
    """What `with_body` put into a frame: the head, the body's beginning and the body's size."""
    try:
        head_size, size = _SIZES.unpack_from(content)
        begin = _SIZES.size + head_size
        return orjson.loads(content[_SIZES.size : begin]), content[begin:], size
    except (ValueError, struct.error) as error:
        raise BadFrame(f"not the head of a call or an answer: {error}") from None


def credit(number: int, size: int) -> bytes:
    return frame(CREDIT, number, _COUNT.pack(size))


def credit_in(content: bytes) -> int:
    if len(content) != _COUNT.size:
        raise BadFrame("a credit without a count")
    count: int = _COUNT.unpack(content)[0]
    return count
