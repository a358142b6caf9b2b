"""How a line of Waggle's log is written, whoever's words are in it."""

import logging
import traceback
from typing import Any

from router.wire.plain_text import one_line, plain


class LogFormatter(logging.Formatter):
    """Formats tracebacks without `print`, which Serve replaces in its replicas.

    A caller's words can neither command the terminal of whoever reads the log nor begin a line.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = one_line(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:
        return plain("".join(traceback.format_exception(*ei)).rstrip())
