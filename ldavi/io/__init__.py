"""Corpora in, models in and out: files of any common format, and models of other libraries.

>>> from ldavi import io
"""

from ldavi.io._checkpoint import Checkpoint
from ldavi.io._convert import (
    from_gensim,
    from_sklearn,
    from_spark,
    to_gensim,
    to_pyldavis,
    to_sklearn,
    to_spark_topics_matrix,
)
from ldavi.io._convert_files import from_lda_c, from_vw, to_lda_c, to_vw
from ldavi.io._convert_gibbs import from_mallet_state, from_tomotopy, to_mallet_state, to_tomotopy
from ldavi.io._errors import CorpusError
from ldavi.io._models import ModelInfo, load, read_info, save
from ldavi.io._recognise import Recognition, recognise
from ldavi.io._store import save_counts
from ldavi.io._stored import CountBatches, open_counts
from ldavi.io._vocabularies import read_vocabulary
from ldavi.io.corpora import Corpus, read_corpus
from ldavi.io.counting import WordCounter, count_words
from ldavi.io.streaming import Batch, Batches, read_batches

__all__ = [
    "Batch",
    "Batches",
    "Checkpoint",
    "Corpus",
    "CorpusError",
    "CountBatches",
    "ModelInfo",
    "Recognition",
    "WordCounter",
    "count_words",
    "from_gensim",
    "from_lda_c",
    "from_mallet_state",
    "from_sklearn",
    "from_spark",
    "from_tomotopy",
    "from_vw",
    "load",
    "open_counts",
    "read_batches",
    "read_corpus",
    "read_info",
    "read_vocabulary",
    "recognise",
    "save",
    "save_counts",
    "to_gensim",
    "to_lda_c",
    "to_mallet_state",
    "to_pyldavis",
    "to_sklearn",
    "to_spark_topics_matrix",
    "to_tomotopy",
    "to_vw",
]
