"""The stores that one question may ask: those its caller may read now, opened for this caller.

What the caller may not read leaves no trace: no name, no count, no error and no wait of its own. A
caller who names a store that it may not read gets the answer for a store that does not exist.
"""

from collections.abc import Sequence

from router.knowledge.opening import NoSuchStore, Readable, StoreShelf, TooOften
from router.knowledge.rights.grants import Barred
from router.knowledge.rights.reader import Reader


def opened_for(
    shelf: StoreShelf, reader: Reader, configured: Sequence[str], named: Sequence[str] = ()
) -> list[Readable]:
    """The stores of a question, each counted as a use: the `named` ones among those configured, or
    all of them that the reader may read. Raises `NoSuchStore`, `TooOften`."""
    for name in named:
        barred = shelf.rights.may(reader, name, "read")
        if name not in configured or (isinstance(barred, Barred) and barred.retry_after is None):
            raise NoSuchStore(name)
    readable: list[Readable] = []
    too_often: TooOften | None = None
    for name in dict.fromkeys(named or configured):
        try:
            readable.append(shelf.opened(name, reader))
        except NoSuchStore:
            if named:
                raise
        except TooOften as error:
            too_often = error
    if not readable:
        raise too_often or NoSuchStore(", ".join(named) or "this question")
    return readable
