"""What a fork inherits from Ray's library, and a worker must work out anew.

The library keeps two things from the moment it is loaded: the settings that it read from the
environment, and random numbers. A worker's environment is its own, and two workers with the same
random numbers would give the same names to different objects. C++ works out such values when a flag
says that they are missing, so clearing the flags is enough.

The flags are found by their names in the library's table of symbols. A version of Ray that lacks a
name is not forked: then Ray starts its workers itself.
"""

import ctypes
import mmap
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SETTINGS = b"_ZGVZN9RayConfig8instanceEvE6config"
_ENTROPY = b"_ZN4absl12lts_2023080215random_internal12_GLOBAL__N_1L9pool_onceE"
_GENERATOR = b"_ZGVZ10FillRandomISsEvPT_E9generator"  # each thread has one
_SYMBOLS, _SYMBOL_BYTES = 2, 24
_LINK_MAP, _THREAD_DATA = 2, 10  # what dlinfo() is asked for


@dataclass(frozen=True, slots=True)
class Inherited:
    """Where the flags are: `settings` and `entropy` in memory, `generator` in each thread's own."""

    library: str
    settings: int
    entropy: int
    generator: int

    def forget(self) -> None:
        """Clear the flags, in a process that was just forked and runs one thread."""
        handle = ctypes.CDLL(self.library)._handle
        base = _dlinfo(handle, _LINK_MAP)
        ctypes.c_uint8.from_address(_pointer_at(base) + self.settings).value = 0
        ctypes.c_uint32.from_address(_pointer_at(base) + self.entropy).value = 0
        own = _dlinfo(handle, _THREAD_DATA)
        if own:  # a thread that never drew a random number has nothing to forget
            ctypes.c_uint8.from_address(own + self.generator).value = 0


def find_inherited(library: Path) -> Inherited | None:
    """The flags in this build of Ray's library; None where they cannot be found."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        with (
            library.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as image,
        ):
            places = [_value_of(name, image) for name in (_SETTINGS, _ENTROPY, _GENERATOR)]
    except (OSError, ValueError, struct.error):
        return None
    if None in places:
        return None
    settings, entropy, generator = (place or 0 for place in places)
    return Inherited(str(library), settings, entropy, generator)


def _value_of(name: bytes, image: mmap.mmap) -> int | None:
    """The value of a symbol: its distance from where the library, or a thread's data, begins."""
    for symbols, symbols_end, names, names_end in _symbol_tables(image):
        at = image.find(b"\0" + name + b"\0", names, names_end)
        if at < 0:
            continue
        number, place = struct.pack("<I", at + 1 - names), symbols
        while (place := image.find(number, place, symbols_end)) >= 0:
            if (place - symbols) % _SYMBOL_BYTES == 0:
                value: int = struct.unpack_from("<Q", image, place + 8)[0]
                return value
            place += 1
    return None


def _symbol_tables(image: mmap.mmap) -> Iterator[tuple[int, int, int, int]]:
    """Where each table of symbols, and of their names, begins and ends in an ELF file."""
    if image[:6] != b"\x7fELF\x02\x01":  # 64 bits, the lowest byte first
        return
    sections = struct.unpack_from("<Q", image, 0x28)[0]
    size, count = struct.unpack_from("<HH", image, 0x3A)

    def section(number: int) -> tuple[int, int, int, int]:
        head = struct.unpack_from("<IIQQQQI", image, sections + number * size)
        return head[1], head[4], head[4] + head[5], head[6]  # kind, begin, end, names' section

    for number in range(count):
        kind, begin, end, linked = section(number)
        if kind == _SYMBOLS:
            _, names, names_end, _ = section(linked)
            yield begin, end, names, names_end


def _dlinfo(handle: int, question: int) -> int:
    """The address that the loader answers with."""
    answer = ctypes.c_void_p()
    ask = ctypes.CDLL(None, use_errno=True).dlinfo
    ask.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
    if ask(handle, question, ctypes.byref(answer)) != 0:
        raise OSError("the loader does not say where Ray's library is")
    return answer.value or 0


def _pointer_at(address: int) -> int:
    return ctypes.c_uint64.from_address(address).value
