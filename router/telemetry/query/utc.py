"""Gives DuckDB's Python the one time zone that Waggle uses, without the package pytz.

DuckDB asks a module `pytz` for the zone of the session whenever a result has a time with a zone,
`select now()`, and fails if there is none. Our sessions are in UTC.
"""

import datetime as dt
import sys
import types


class _Utc(dt.tzinfo):
    def utcoffset(self, _: dt.datetime | None) -> dt.timedelta:
        return dt.timedelta(0)

    def dst(self, _: dt.datetime | None) -> dt.timedelta:
        return dt.timedelta(0)

    def tzname(self, _: dt.datetime | None) -> str:
        return "UTC"

    def localize(self, moment: dt.datetime) -> dt.datetime:
        return moment.replace(tzinfo=dt.UTC)


def know_utc() -> None:
    """Stand in for `pytz`, unless this process has the package itself."""
    if "pytz" not in sys.modules:
        module = types.ModuleType("pytz")
        vars(module).update(timezone=lambda _: _Utc(), utc=_Utc())
        sys.modules["pytz"] = module
