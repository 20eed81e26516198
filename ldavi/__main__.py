"""Run the command `ldavi` as `python -m ldavi`."""

import sys

from ldavi.cli import main

sys.exit(main())
