"""The format of frames between supervisor and worker: a JSON header, then raw columns.

Both sides import this module, so it uses only the standard library. `sandbox.supervisor.frames`
reads results, without trusting them.
"""

import os
import struct
from collections.abc import Iterable

MAGIC = b"SBX1"
JOB = struct.Struct("<I")  # length of the JSON that follows
RESULT = struct.Struct("<4sII")  # magic, length of the JSON, length of the columns after it
CALL = struct.Struct("<IQ")  # of a function, and its answer: length of the JSON, number of the call
JOB_SOCKET, STDOUT = 3, 1  # file descriptors in a worker
HEADER_SHARE = 4  # the limit for the JSON is a quarter of the limit for columns
# The types of columns, in numpy's notation. All other values stand in the JSON.
DTYPES = frozenset(("|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f4", "<f8"))


def frame(header: bytes, columns: Iterable[bytes] = ()) -> bytes:
    blob = b"".join(columns)
    return RESULT.pack(MAGIC, len(header), len(blob)) + header + blob


def write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def read_exactly(descriptor: int, count: int) -> bytes:
    """Read `count` bytes. Returns no bytes if the other side has closed the socket."""
    content = bytearray()
    while len(content) < count:
        piece = os.read(descriptor, count - len(content))
        if not piece:
            return b""
        content += piece
    return bytes(content)
