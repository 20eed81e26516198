"""Columns of dates and numbers in tables of other programs."""

import datetime

import numpy as np
import pytest

from ldavi.cli import main
from ldavi.io._readers.dates import typed_column

DAY = "2023-12-31"


@pytest.mark.parametrize(
    "text",
    [
        "2023-12-31",
        "2023-12-31T13:45:00Z",
        "2023-12-31 13:45:00.123+02:00",
        "2023/12/31",
        "20231231",
        "31/12/2023",
        "12/31/2023",
        "31.12.2023",
        "31-12-2023",
        "31/12/2023 13:45",
        "12/31/2023, 1:45 PM",
        "31/12/23",
        "31 Dec 2023",
        "31 December 2023",
        "Dec 31, 2023",
        "December 31st, 2023",
        "31-Dec-2023",
        "31-Dec-23",
        "Sun, 31 Dec 2023 13:45:00 +0000",
        "Sun Dec 31 13:45:00 +0000 2023",
        "Sunday, December 31, 2023",
    ],
)
def test_dates_in_common_formats_are_recognised(text):
    values, note = typed_column("date", [text, "", text])
    assert values.astype("datetime64[D]").astype(str).tolist() == [DAY, "NaT", DAY]
    assert (note is not None) == (text == "20231231")


@pytest.mark.parametrize(
    ("texts", "expected", "is_noted"),
    [
        (["01/02/2023", "13/02/2023"], ["2023-02-01", "2023-02-13"], False),
        (["01/02/2023", "02/13/2023"], ["2023-01-02", "2023-02-13"], False),
        (["01/02/2023", "03/04/2023"], ["2023-02-01", "2023-04-03"], True),
    ],
)
def test_the_order_of_day_and_month_is_that_of_the_whole_column(texts, expected, is_noted):
    values, note = typed_column("date", texts)
    assert values.astype(str).tolist() == expected
    assert (note is not None and "date_format=" in note) == is_noted


@pytest.mark.parametrize("texts", [["13/02/2023", "02/13/2023"], ["2023-12-31", "yesterday", "2023-12-30"]])
def test_a_column_of_several_formats_stays_as_it_is_and_is_noted(texts):
    values, note = typed_column("date", texts)
    assert values.tolist() == texts
    assert "date_format=" in note


@pytest.mark.parametrize(
    ("texts", "expected"),
    [(["2011", "2010", "2001"], [2011, 2010, 2001]), (["1.5", "", "-2e3"], [1.5, np.nan, -2000.0]), (["7"], [7])],
)
def test_numbers_are_numbers(texts, expected):
    values, note = typed_column("year", texts)
    np.testing.assert_array_equal(values, expected)
    assert note is None


@pytest.mark.parametrize("texts", [["sport", "food"], ["", ""], ["v1.2", "3"]])
def test_other_texts_stay_as_they_are(texts):
    values, note = typed_column("section", texts)
    assert values.tolist() == texts
    assert note is None


def test_a_given_format_takes_precedence():
    assert typed_column("date", ["03/04/2023"], "%m/%d/%Y").values.astype(str).tolist() == ["2023-03-04"]
    assert typed_column("date", ["1704030300"], "unix").values.astype(str).tolist() == [DAY]


def test_a_value_without_the_given_format_is_named():
    with pytest.raises(ValueError, match=r"'soon' in column 'date', document 3"):
        typed_column("date", ["03/04/2023", "", "soon"], "%m/%d/%Y")


@pytest.mark.parametrize(
    "value", [datetime.date(2023, 12, 31), datetime.datetime(2023, 12, 31, 1, tzinfo=datetime.UTC)]
)
def test_dates_of_files_with_types_stay_dates(value):
    values, _ = typed_column("date", [value, None])
    assert values.astype("datetime64[D]").astype(str).tolist() == [DAY, "NaT"]


@pytest.mark.parametrize("arguments", [["--date-format", "%Y"], ["--date-format", "soon"], ["--date-format", "unix"]])
def test_a_format_that_fits_no_value_is_refused(tmp_path, capsys, arguments):
    pytest.importorskip("bokeh")
    path = tmp_path / "x.csv"
    path.write_text("when,text\n" + "31/12/2023,soup bread salt\n" * 9)
    more = ["--metadata", "when", "--report", str(tmp_path / "page.html"), *arguments]
    assert main(["fit", str(path), "-k", "2", *more]) == 2
    assert "--date-format" in capsys.readouterr().err
