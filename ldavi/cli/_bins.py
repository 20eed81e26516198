"""The option --bins: how the report divides the columns of --metadata."""

from ldavi.cli._errors import UsageError
from ldavi.cli._options import Options
from ldavi.cli._reading import metadata_names

UNITS = ("day", "week", "month", "quarter", "year", "decade", "century")


def bins_of(options: Options) -> dict[str, str | int | list[str]]:
    """Return the divisions that the options give, by column.

    Raises
    ------
    UsageError
        If a division is not COLUMN=BINS, or its column is not one of --metadata.
    """
    found: dict[str, str | int | list[str]] = {}
    for text in options.bins or []:
        name, equals, value = text.rpartition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name or not value:
            raise UsageError(f"--bins {text}: must be COLUMN=BINS, such as date=month, age=18,30,65 or section=10")
        if name not in metadata_names(options):
            raise UsageError(f"--bins {text}: add the column to --metadata, which names those of the report")
        parts = [part.strip() for part in value.split(",") if part.strip()]
        if value.isascii() and value.isdigit():
            found[name] = int(value)
        else:
            found[name] = value if value in UNITS else parts
    return found
