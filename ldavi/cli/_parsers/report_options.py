"""Options of the report that `ldavi fit` and `ldavi report` share."""

from ldavi.cli._options import Group, several


def add_metadata(group: Group) -> None:
    """Add the columns over which the report shows trends."""
    group.add_argument(
        "--metadata", metavar="NAMES", help="columns for the report's trends, separated by commas: date,section"
    )
    group.add_argument(
        "--date-format",
        metavar="FORMAT",
        help="format of the dates in these columns, such as %%d/%%m/%%Y, or unix for seconds since 1970 (default: "
        "common formats are recognised)",
    )
    group.add_argument(
        "--bins",
        action="append",
        metavar="COLUMN=BINS",
        help="how the report divides a column of --metadata: date=month (or day, week, quarter, year, decade, "
        "century), date=2020-01-01,2021-07-01,2023-01-01 or age=18,30,65 (edges), age=10 (a number of bins), "
        "section=news,sport (values); may be repeated",
    )


def add_covariates(group: Group) -> None:
    """Add the covariates whose effects the report shows."""
    group.add_argument(
        "--covariates",
        metavar="NAMES",
        help="columns whose effects on the topics the report shows, with intervals, and the topics' shares by group, "
        "separated by commas: year,section",
    )
    group.add_argument(
        "--formula",
        metavar="FORMULA",
        help='right-hand side of that regression, such as "~ section + bs(year, df=4)" (default: the sum of the '
        "covariates). Needs formulaic, and is evaluated as Python code: use no formula from others unread",
    )
    group.add_argument(
        "--samples", type=several, metavar="N", help="draws of the shares for these effects (default: 25)"
    )
