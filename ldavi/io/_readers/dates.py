"""Dates and numbers in columns of texts, as tables of other programs write them."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

UNIX = "unix"  # the format of seconds since 1970
MISSING = ("", "nan", "NaN", "NaT", "None", "null", "NULL", "NA", "N/A", "<NA>")
NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
WHOLE = re.compile(r"[-+]?\d{1,15}")
COMPACT = re.compile(r"(?:1[89]|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
# What may follow a date: a time of day, with a zone that is not used
TIME = re.compile(
    r"[T ,]+\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?[AaPp]\.?[Mm]\.?)?(?: ?(?:Z|UTC|GMT|[A-Z]{3,4}|[-+]\d\d:?\d\d))?$"
)
TWITTER = re.compile(r"^(\w{3} \w{3} \d{1,2}) \d\d:\d\d:\d\d (?:[-+]\d{4}|[A-Z]{3}) (\d{4})$")
NUMERIC_DATE = re.compile(r"(\d{1,2})([/.\-])(\d{1,2})\2(\d{4}|\d{2})")
WEEKDAY = re.compile(r"^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*\.?,? +", re.IGNORECASE)
ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b", re.IGNORECASE)
YEAR_FIRST = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y-%m", "%Y/%m")
WITH_NAMES = (
    *("%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y", "%d-%b-%Y", "%d-%b-%y", "%d-%B-%Y", "%b %Y", "%B %Y"),
    *("%a %b %d %Y", "%Y %b %d", "%Y %B %d"),
)


class TypedColumn(NamedTuple):
    """A column whose values have a type.

    Attributes
    ----------
    values : array
        Dates (datetime64), numbers, or the values as they were.
    note : str or None
        How an ambiguous column was read, or why it was not read as dates.
    """

    values: NDArray[Any]
    note: str | None = None


def typed_column(name: str, values: Sequence[Any], date_format: str | None = None) -> TypedColumn:
    """Convert a column to dates or numbers if all values that are not missing are dates or numbers.

    Parameters
    ----------
    name : str
        Name of the column, for messages.
    values : sequence
        Texts, or values that a file has with their types.
    date_format : str or None
        Format of `datetime.strptime`, or "unix" for seconds since 1970; None recognises common formats.

    Raises
    ------
    ValueError
        If some values have the date format, and others do not.
    """
    typed = _dates_with_types(values)
    if typed is not None:
        return TypedColumn(typed)
    texts = ["" if value is None or value != value else str(value).strip() for value in values]
    texts = ["" if text in MISSING else text for text in texts]
    known = list(dict.fromkeys(text for text in texts if text))
    if not known:
        return TypedColumn(_objects(values))
    if date_format is not None:
        return _with_format(name, texts, known, date_format, values)
    if all(COMPACT.fullmatch(text) for text in known):
        dates = _parsed(known, ["%Y%m%d"])
        if dates is not None:
            return TypedColumn(_array_of(texts, dates), f"{name!r} is read as dates, year month day without signs")
    if all(NUMBER.fullmatch(text) for text in known):
        return TypedColumn(_numbers(texts))
    return _recognised(name, texts, known, values)


def _dates_with_types(values: Sequence[Any]) -> NDArray[Any] | None:
    """Return dates that a file has as such; None if there are none, or other values."""
    known = [value for value in values if value is not None and value == value]
    if not known or not all(isinstance(value, date) for value in known):  # datetime is a date
        return None
    plain = [_without_zone(value) if isinstance(value, date) else None for value in values]
    return np.array(["NaT" if value is None else value.isoformat() for value in plain], dtype="datetime64[s]")


def _without_zone(value: date) -> date:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def _numbers(texts: list[str]) -> NDArray[Any]:
    if all(WHOLE.fullmatch(text) for text in texts):
        return np.array([int(text) for text in texts], dtype=np.int64)
    return np.array([float(text) if text else np.nan for text in texts])


def _with_format(name: str, texts: list[str], known: list[str], date_format: str, values: Sequence[Any]) -> TypedColumn:
    dates = {text: found for text in known if (found := _parse(text, date_format)) is not None}
    if not dates:
        return TypedColumn(_objects(values))
    if wrong := next((text for text in known if text not in dates), None):
        row = texts.index(wrong) + 1
        raise ValueError(f"date_format={date_format!r} does not fit {wrong!r} in column {name!r}, document {row}")
    return TypedColumn(_array_of(texts, dates))


def _parse(text: str, date_format: str) -> datetime | None:
    try:
        if date_format == UNIX:
            return datetime.fromtimestamp(float(text), UTC).replace(tzinfo=None)
        return datetime.strptime(text, date_format).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        return None


def _recognised(name: str, texts: list[str], known: list[str], values: Sequence[Any]) -> TypedColumn:
    days = {text: _day_of(text) for text in known}
    note = None
    if all(NUMERIC_DATE.fullmatch(day) for day in days.values()):
        formats, note = _numeric_formats(name, list(days.values()))
        dates = _parsed(list(days.values()), formats)
    else:
        dates = _parsed(list(days.values()), [*YEAR_FIRST, *WITH_NAMES])
    if dates is not None:
        return TypedColumn(_array_of(texts, {text: dates[day] for text, day in days.items()}), note)
    of_dates = [text for text, day in days.items() if NUMERIC_DATE.fullmatch(day) or _parsed([day], YEAR_FIRST)]
    if len(of_dates) > 0.5 * len(known):
        wrong = next((text for text in known if text not in of_dates), of_dates[0])
        note = f"{name!r} is not read as dates: {wrong!r} has another format than others. See date_format=FORMAT"
    return TypedColumn(_objects(values), note)


def _day_of(text: str) -> str:
    """Return a date without its time, weekday, commas and ordinal endings."""
    if match := TWITTER.match(text):
        text = f"{match[1]} {match[2]}"
    text = ORDINAL.sub("", WEEKDAY.sub("", TIME.sub("", text)))
    return re.sub(r"[, ]+", " ", text.replace("Sept ", "Sep ")).replace(". ", " ").strip()


def _numeric_formats(name: str, days: list[str]) -> tuple[list[str], str | None]:
    """Return the format of dates such as 31/12/2023, whose first number is the day unless the second exceeds 12."""
    matches = [match for day in days if (match := NUMERIC_DATE.fullmatch(day))]
    sign, year = matches[0][2], "%Y" if len(matches[0][4]) == 4 else "%y"
    day_first, month_first = f"%d{sign}%m{sign}{year}", f"%m{sign}%d{sign}{year}"
    if any(int(match[1]) > 12 for match in matches):
        return [day_first], None
    if any(int(match[3]) > 12 for match in matches):
        return [month_first], None
    return [day_first], f"{name!r} is read as dates with the day first; month first: date_format={month_first!r}"


def _parsed(days: list[str], formats: Sequence[str]) -> dict[str, datetime] | None:
    """Return the dates of all texts in the first format that fits them all; None if no format does."""
    for each in formats:
        dates: dict[str, datetime] = {}
        for day in days:
            found = _parse(day, each)
            if found is None:
                break
            dates[day] = found
        else:
            return dates
    return None


def _array_of(texts: list[str], dates: dict[str, datetime]) -> NDArray[Any]:
    return np.array([dates[text].date().isoformat() if text else "NaT" for text in texts], dtype="datetime64[D]")


def _objects(values: Sequence[Any]) -> NDArray[Any]:
    array = np.empty(len(values), dtype=object)
    array[:] = list(values)
    return array
