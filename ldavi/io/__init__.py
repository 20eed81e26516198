"""Models in and out: files of our own, and models of other libraries.

>>> from ldavi import io
"""

from ldavi.io._convert import (
    from_gensim,
    from_sklearn,
    from_spark,
    from_tomotopy,
    to_gensim,
    to_pyldavis,
    to_sklearn,
    to_spark_topics_matrix,
)
from ldavi.io._convert_files import from_lda_c, from_mallet_state, from_vw, to_lda_c
from ldavi.io._models import ModelInfo, load, read_info, save

__all__ = [
    "ModelInfo",
    "from_gensim",
    "from_lda_c",
    "from_mallet_state",
    "from_sklearn",
    "from_spark",
    "from_tomotopy",
    "from_vw",
    "load",
    "read_info",
    "save",
    "to_gensim",
    "to_lda_c",
    "to_pyldavis",
    "to_sklearn",
    "to_spark_topics_matrix",
]
