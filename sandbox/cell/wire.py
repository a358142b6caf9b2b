"""How a job goes into a worker and a result comes out: a JSON header, then raw columns.

Read by both sides. The worker's side writes with the standard library alone; nothing here trusts
what it reads (`sandbox.supervisor.frames` does the reading).
"""

import os
import struct
from collections.abc import Iterable

MAGIC = b"SBX1"
JOB = struct.Struct("<I")  # length of the JSON that follows
RESULT = struct.Struct("<4sII")  # magic, length of the JSON, length of the columns after it
JOB_SOCKET, STDOUT = 3, 1  # descriptors of a worker
HEADER_SHARE = 4  # the JSON may be this part of what the columns may be
# What a column may hold, as numpy writes it. Everything else travels as JSON.
DTYPES = frozenset(("|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f4", "<f8"))


def frame(header: bytes, columns: Iterable[bytes] = ()) -> bytes:
    blob = b"".join(columns)
    return RESULT.pack(MAGIC, len(header), len(blob)) + header + blob


def write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def read_exactly(descriptor: int, count: int) -> bytes:
    """The next bytes, or none where the other side has gone."""
    found = bytearray()
    while len(found) < count:
        piece = os.read(descriptor, count - len(found))
        if not piece:
            return b""
        found += piece
    return bytes(found)
