"""Reading of corpora, counting of words, files of models and conversion from and to other libraries.

>>> from ldavi import io
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ldavi.io._api import *  # noqa: F403


def __getattr__(name: str) -> Any:
    """Import the public names when one of them is used: the command line imports modules of this package alone."""
    if name.startswith("_") and name != "__all__":
        raise AttributeError(f"module 'ldavi.io' has no attribute {name!r}")
    api = importlib.import_module("ldavi.io._api")
    if name not in (*api.__all__, "__all__"):
        raise AttributeError(f"module 'ldavi.io' has no attribute {name!r}")
    globals().update({public: getattr(api, public) for public in api.__all__}, __all__=api.__all__)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *importlib.import_module("ldavi.io._api").__all__})
