"""The programs for questions about dates and times of day."""

from collections.abc import Mapping

PROGRAMS: Mapping[str, str] = {
    "days_between": '''
def days_between(first, last, inclusive, unit):
    from datetime import date

    days = (date.fromisoformat(last) - date.fromisoformat(first)).days + int(inclusive)
    return {"weeks": days / 7, "days": days} if unit == "weeks" else {"days": days}
''',
    "working_days": '''
def working_days(first, last):
    return {"days": int(np.busday_count(first, np.datetime64(last) + 1))}
''',
    "date_shifted": '''
def date_shifted(date, sign, days=0, weeks=0, months=0, years=0, spanish=False):
    import calendar
    import datetime

    start = datetime.date.fromisoformat(date)
    month = start.month - 1 + int(sign * (months + 12 * years))
    year, month = start.year + month // 12, month % 12 + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    shifted = datetime.date(year, month, day) + datetime.timedelta(days=sign * (days + 7 * weeks))
    spanish_names = ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"]
    weekday = spanish_names[shifted.weekday()] if spanish else shifted.strftime("%A")
    return {"date": shifted.isoformat(), "weekday": weekday}
''',
    "weekday_of": '''
def weekday_of(date, spanish=False):
    import datetime

    day = datetime.date.fromisoformat(date)
    spanish_names = ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"]
    return {"weekday": spanish_names[day.weekday()] if spanish else day.strftime("%A")}
''',
    "clock_span": '''
def clock_span(start, end, pause):
    def of_day(clock):
        hours, minutes = clock.split(":")
        return 60 * int(hours) + int(minutes)

    minutes = (of_day(end) - of_day(start)) % 1440 - pause
    return {"hours": minutes / 60, "minutes": minutes, "duration": f"{int(minutes // 60)}:{int(minutes % 60):02d}"}
''',
    "duration_total": '''
def duration_total(hours, signs):
    seconds = round(3600 * sum(sign * part for sign, part in zip(signs, hours)))
    minutes = seconds / 60
    text = f"{seconds // 3600}:{seconds % 3600 // 60:02d}" + f":{seconds % 60:02d}" * (seconds % 60 > 0)
    return {"hours": seconds / 3600, "minutes": minutes, "duration": text}
''',
    "clock_end": '''
def clock_end(start, hours):
    h, m = start.split(":")
    minutes = 60 * int(h) + int(m) + round(60 * hours)
    days, minutes = divmod(minutes, 1440)
    half = "am" if minutes < 720 else "pm"
    return {"time": f"{minutes // 60:02d}:{minutes % 60:02d}", "days_later": days,
            "time_12_hours": f"{(minutes // 60 + 11) % 12 + 1}:{minutes % 60:02d} {half}"}
''',
    "age": '''
def age(birth, day):
    import calendar
    from datetime import date

    born, now = date.fromisoformat(birth), date.fromisoformat(day)
    months = 12 * (now.year - born.year) + now.month - born.month - (now.day < born.day)
    year, month = divmod(12 * born.year + born.month - 1 + months, 12)
    last = min(born.day, calendar.monthrange(year, month + 1)[1])
    days = (now - date(year, month + 1, last)).days
    return {"years": months // 12, "months": months % 12, "days": days}
''',
    "leap_year": '''
def leap_year(year):
    year = int(year)
    return {"leap_year": year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)}
''',
    "month_length": '''
def month_length(year, month):
    import calendar

    return {"days": calendar.monthrange(int(year), int(month))[1]}
''',
    "mean_time": '''
def mean_time(times):
    seconds = [60 * int(m) + int(s) for m, s in (time.split(":") for time in times)]
    mean = sum(seconds) / len(seconds)
    return {"seconds": mean, "time": f"{int(mean // 60)}:{int(mean % 60):02d}", "minutes": mean / 60}
''',
}  # fmt: skip
