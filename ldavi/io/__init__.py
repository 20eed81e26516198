"""Models in and out.

>>> from ldavi import io
"""

from ldavi.io._models import ModelInfo, load, read_info, save

__all__ = [
    "ModelInfo",
    "load",
    "read_info",
    "save",
]
