"""Dates and times of day as people write them, in English, Spanish, German and French. Pure.

`03/04/2020` has two readings, so it is no date here and equals itself only.
"""

import datetime as dt
import re

from router.plans.agreement.number_words import in_words
from router.plans.agreement.text import each, folded

_MONTHS = (
    "january jan enero januar janner janvier",
    "february feb febrero februar fevrier",
    "march mar marzo marz mars",
    "april apr abril avril",
    "may mayo mai",
    "june jun junio juni juin",
    "july jul julio juli juillet",
    "august aug agosto aout",
    "september sept sep septiembre setiembre septembre",
    "october oct octubre oktober okt octobre",
    "november nov noviembre novembre",
    "december dec diciembre dezember dez decembre",
)
_MONTH_OF = {name: n for n, names in enumerate(_MONTHS, 1) for name in names.split()}
_DAYS = (
    "monday mon lunes montag lundi",
    "tuesday tue tues martes dienstag mardi",
    "wednesday wed miercoles mittwoch mercredi",
    "thursday thu thur thurs jueves donnerstag jeudi",
    "friday fri viernes freitag vendredi",
    "saturday sat sabado samstag samedi",
    "sunday sun domingo sonntag dimanche",
)
_DAY_OF = {name: n for n, names in enumerate(_DAYS) for name in names.split()}
_GERMAN_DAYS = {"mo": 0, "di": 1, "mi": 2, "do": 3, "fr": 4, "sa": 5, "so": 6}
_NO_MONTH_ALONE = frozenset({"mars", "mar"})  # the planet; March or Tuesday
_LITTLE = frozenset(each("of de del the le el der den dem am on in en im"))
_LONGEST = 60
_ORDINAL = re.compile(r"(\d{1,2})(?:st|nd|rd|th|er|º|ª)\Z")
_TIME = re.compile(
    r"(?:at |um |a las |à )?(\d{1,2})(?:(?:[:.](\d{2})(?::(\d{2}))?)?\s?(a\.?m\.?|p\.?m\.?)"
    r"|:(\d{2})(?::(\d{2}))?(?:\s?(?:uhr|h|hours|hrs))?|\s?h\s?(\d{2})|\s?uhr(?:\s(\d{2}))?|\s?o'?clock)"
)
_PAST = re.compile(r"(?:at |a )?(half past|quarter past|quarter to|halb) (\w+)")
_NAMED_TIMES = {"noon": "12:00", "midday": "12:00", "midnight": "00:00", "mediodia": "12:00"}


def moment_of(text: str) -> str:
    """`date 1969-07-20`, `date --07-20`, `date 1969-07`, `day 4` or `time 15:00`, or two of these;
    empty for another text."""
    plain = " ".join(folded(text).split()).strip(" .")
    if not plain or len(plain) > _LONGEST:
        return ""
    if whole := _moment(plain):
        return whole
    words = plain.split()
    for n in range(1, len(words)):  # Monday, 9 am
        day = _moment(" ".join(words[:n]).rstrip(".,"))
        time = _time(re.sub(r"^(?:at|um|a las|a) ", "", " ".join(words[n:])))
        if day.startswith("da") and time:
            return f"{day} {time}"
    return ""


def _moment(plain: str) -> str:
    if plain in _DAY_OF or plain in _GERMAN_DAYS:
        return f"day {_DAY_OF.get(plain, _GERMAN_DAYS.get(plain))}"
    if plain in _MONTH_OF and plain not in _NO_MONTH_ALONE:
        return f"date --{_MONTH_OF[plain]:02d}"
    return _time(plain) or _numeric_date(plain) or _date_in_words(plain)


def _time(plain: str) -> str:
    plain = _in_figures(_NAMED_TIMES.get(plain, plain))
    match = _TIME.fullmatch(plain)
    if match is None:
        return ""
    hour = int(match[1])
    minute = int(match[2] or match[5] or match[7] or match[8] or 0)
    seconds = match[3] or match[6]
    half = (match[4] or "").replace(".", "")
    if hour > (12 if half else 24) or minute > 59:
        return ""
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return f"time {hour % 24:02d}:{minute:02d}" + (f":{seconds}" if seconds else "")


def _in_figures(plain: str) -> str:
    """`3:30` for `half past three`, `4:45` for `quarter to five`."""
    match = _PAST.fullmatch(plain)
    if match is None:
        return plain
    hour = int(match[2]) if match[2].isdigit() else int(in_words([match[2]]) or 99)
    if not 1 <= hour <= 12:
        return plain
    minutes = {"half past": 30, "quarter past": 15, "quarter to": -15, "halb": -30}[match[1]]
    at = (60 * hour + minutes) % 720
    return f"{at // 60 or 12}:{at % 60:02d}"


def _numeric_date(plain: str) -> str:
    if match := re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", plain):
        year, month, day = map(int, match.groups())
    elif match := re.fullmatch(r"(\d{1,2})\. ?(\d{1,2})\. ?(\d{4})", plain):
        day, month, year = map(int, match.groups())
    elif match := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", plain):
        first, second, year = map(int, match.groups())
        if first <= 12 and second <= 12 and first != second:
            return ""
        day, month = (first, second) if first > 12 else (second, first)
    else:
        return ""
    return _written(year, month, day)


def _date_in_words(plain: str) -> str:
    tokens = [
        token.strip(".")
        for token in re.split(r"[\s,]+", plain)
        if token.strip(".") and token.strip(".") not in _LITTLE
    ]
    weekday = _DAY_OF.get(tokens[0]) if len(tokens) > 2 else None
    if weekday is not None:
        tokens = tokens[1:]
    months = [n for n, token in enumerate(tokens) if token in _MONTH_OF]
    if len(months) != 1 or not 2 <= len(tokens) <= 3:
        return ""
    month = _MONTH_OF[tokens.pop(months[0])]
    if not re.fullmatch(r"\d{3,4}", tokens[-1]):  # a day alone
        day = _day(tokens[0]) if len(tokens) == 1 else 0
        return f"date --{month:02d}-{day:02d}" if day and weekday is None else ""
    year = int(tokens[-1])
    if len(tokens) == 1:
        return f"date {year:04d}-{month:02d}"
    day = _day(tokens[0])
    if weekday is not None and day and not _falls_on(year, month, day, weekday):
        return ""
    return _written(year, month, day)


def _falls_on(year: int, month: int, day: int, weekday: int) -> bool:
    try:
        return dt.date(year, month, day).weekday() == weekday
    except ValueError:
        return False


def _day(token: str) -> int:
    match = _ORDINAL.fullmatch(token)
    token = match[1] if match else token
    return int(token) if token.isdigit() and 1 <= int(token) <= 31 else 0


def _written(year: int, month: int, day: int) -> str:
    try:
        return f"date {dt.date(year, month, day).isoformat()}"
    except ValueError:
        return ""
