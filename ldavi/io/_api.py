"""The public names of ldavi.io."""

from ldavi.io._converters.gibbs_states import from_mallet_state, from_tomotopy, to_mallet_state, to_tomotopy
from ldavi.io._converters.libraries import (
    from_gensim,
    from_sklearn,
    from_spark,
    to_gensim,
    to_pyldavis,
    to_sklearn,
    to_spark_topics_matrix,
)
from ldavi.io._converters.model_files import from_lda_c, from_vw, to_lda_c, to_vw
from ldavi.io._count_store.reading import CountBatches, open_counts
from ldavi.io._count_store.writing import save_counts
from ldavi.io._counting.functions import count_words, find_phrases
from ldavi.io._counting.stop_words import read_stop_words
from ldavi.io._counting.word_counter import WordCounter
from ldavi.io._errors import CorpusError
from ldavi.io._models.checkpoint import Checkpoint
from ldavi.io._models.model_file import ModelInfo, load, read_info, save
from ldavi.io._models.pipeline import load_pipeline
from ldavi.io._readers.batches import Batch, Batches, read_batches
from ldavi.io._readers.corpus import Corpus, read_corpus
from ldavi.io._readers.recognition import Recognition, recognise
from ldavi.io._readers.vocabulary import read_vocabulary
from ldavi.io._topic_names import read_topic_names

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
    "find_phrases",
    "from_gensim",
    "from_lda_c",
    "from_mallet_state",
    "from_sklearn",
    "from_spark",
    "from_tomotopy",
    "from_vw",
    "load",
    "load_pipeline",
    "open_counts",
    "read_batches",
    "read_corpus",
    "read_info",
    "read_stop_words",
    "read_topic_names",
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
