import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from router.sqlite_file import SqliteFile


class Numbers(SqliteFile):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def _open(self, *, first: bool) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, check_same_thread=False)
        if first:
            connection.execute("create table if not exists numbers (n integer)")
            connection.executemany("insert into numbers values (?)", [(n,) for n in range(9)])
            connection.commit()
        return connection

    def all(self) -> sqlite3.Cursor:
        return self._connection.execute("select n from numbers order by n")


def is_open(path: Path) -> bool:
    links = [fd for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink()]
    return any(str(path) == str(link.readlink()) for link in links if link.is_symlink())


def test_what_another_thread_reads_is_read_to_its_end_though_the_store_closes(tmp_path: Path):
    store = Numbers(tmp_path / "numbers.sqlite")
    with ThreadPoolExecutor(1) as other:
        rows = other.submit(store.all).result()
        first = other.submit(next, rows).result()
        store.close()
        rest = other.submit(list, rows).result()
    assert [first, *rest] == [(n,) for n in range(9)]


def test_a_store_that_closes_leaves_its_file_closed(tmp_path: Path):
    path = tmp_path / "numbers.sqlite"
    store = Numbers(path)
    assert len(list(store.all())) == 9
    assert is_open(path)
    store.close()
    assert not is_open(path)
