"""The form of dates and times as text, such as `14/06/1987` or `May 5, 2024`. Pure."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_MONTHS = {
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre "
    "diciembre",
}
# Form by pattern; the first that reads every example is theirs.
_FORMS = (
    (r"\d{4}-\d\d-\d\d", "%Y-%m-%d"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "%Y-%m-%dT%H:%M:%SZ"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "%Y-%m-%dT%H:%M:%S"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d", "%Y-%m-%dT%H:%M"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", "%Y-%m-%dT%H:%M:%S+00:00"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "%Y-%m-%dT%H:%M:%S.000Z"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "%Y-%m-%d %H:%M:%S"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d", "%Y-%m-%d %H:%M"),
    (r"\d{4}/\d\d/\d\d", "%Y/%m/%d"),
    (r"\d{8}", "%Y%m%d"),
    (r"\d\d/\d\d/\d{4} \d\d:\d\d", "%d/%m/%Y %H:%M"),
    (r"\d\d/\d\d/\d{4}", "%d/%m/%Y"),
    (r"\d\d/\d\d/\d{4}", "%m/%d/%Y"),
    (r"\d\d/\d\d/\d\d", "%d/%m/%y"),
    (r"\d\d-\d\d-\d{4}", "%d-%m-%Y"),
    (r"\d\d\.\d\d\.\d{4}", "%d.%m.%Y"),
    (r"\d{4}-\d\d", "%Y-%m"),
    (r"\d\d/\d{4}", "%m/%Y"),
    (r"\d\d/\d\d", "%m/%y"),
    (r"\d\d:\d\d", "%H:%M"),
    (r"\d\d:\d\d:\d\d", "%H:%M:%S"),
    (r"\d{1,2}:\d\d [AP]M", "%I:%M %p"),
    (r"\d{1,2} [A-Z][a-z]{2} \d{4}", "%d %b %Y"),
    (r"\d{1,2} [A-Z][a-z]+ \d{4}", "%d %B %Y"),
    (r"[A-Z][a-z]{2} \d{1,2}, \d{4}", "%b %d, %Y"),
    (r"[A-Z][a-z]+ \d{1,2}, \d{4}", "%B %d, %Y"),
    (r"[A-Z][a-z]+ \d{4}", "%B %Y"),
)
_SPANISH = re.compile(r"(\d{1,2}) de ([a-z]+) de (\d{4})")
_SPANISH_MONTH = re.compile(r"\A([a-z]+) de (\d{4})")


@dataclass(frozen=True, slots=True)
class DateForm:
    """How dates or times are written; `of_day` says that they have no date."""

    form: str
    padded: bool = True  # `05 May` rather than `5 May`

    @property
    def of_day(self) -> bool:
        return "%Y" not in self.form and "%y" not in self.form

    def write(self, moment: dt.datetime) -> str:
        if self.form.startswith("es:"):
            month = _MONTHS["es"].split()[moment.month - 1]
            day = f"{moment.day} de " if self.form == "es:day" else ""
            return f"{day}{month} de {moment.year}"
        text = moment.strftime(self.form)
        return text if self.padded else re.sub(r"(?<!\d)0(\d)(?=[ ,:])", r"\1", text)

    def read(self, text: str) -> dt.datetime | None:
        return _read(self.form, text)


@lru_cache(maxsize=4096)
def _read(form: str, text: str) -> dt.datetime | None:
    if form.startswith("es:"):
        return _spanish(text)
    try:
        return dt.datetime.strptime(text, form)  # noqa: DTZ007 - the form has no zone
    except ValueError:
        return None


def _spanish(text: str) -> dt.datetime | None:
    match = _SPANISH.fullmatch(text.lower())
    month = _SPANISH_MONTH.fullmatch(text.lower())
    day, name, year = match.groups() if match else ("1", *month.groups()) if month else ("", "", "")
    months = _MONTHS["es"].split()
    if name not in months:
        return None
    try:
        return dt.datetime(int(year), months.index(name) + 1, int(day))  # noqa: DTZ001
    except ValueError:
        return None


def date_form(examples: Sequence[str]) -> DateForm | None:
    """The form in which every example is a date or a time; None if there is none."""
    for pattern, form in _FORMS:
        if all(re.fullmatch(pattern, text) for text in examples):
            moments = [_read(form, text) for text in examples]
            if all(moments) and all(1900 <= m.year <= 2100 for m in moments if m):
                padded = not any(re.search(r"(?<!\d)\d[ ,:]", text) for text in examples)
                return DateForm(form, padded)
    if all(_spanish(text) for text in examples):
        return DateForm("es:day" if _SPANISH.fullmatch(examples[0].lower()) else "es:month")
    return None
