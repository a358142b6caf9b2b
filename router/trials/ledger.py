"""The file of the book of trials, to which any process may append."""

from pathlib import Path

from router.config.config import Config
from router.ledger import LedgerFile
from router.trials.book import Book

_FILE = "ledger.jsonl"


class Ledger(LedgerFile[Book]):
    def __init__(self, folder: Path, config: Config) -> None:
        super().__init__(folder / _FILE, Book(config))

    def reconfigure(self, config: Config) -> None:
        self.book.config = config
