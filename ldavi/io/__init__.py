"""Corpora in: files of any common format, and texts, as documents x words counts."""

from ldavi.io._errors import CorpusError
from ldavi.io._recognise import Recognition, recognise
from ldavi.io._vocabularies import read_vocabulary
from ldavi.io.corpora import Corpus, read_corpus
from ldavi.io.counting import WordCounter, count_words
from ldavi.io.streaming import Batches, read_batches

__all__ = [
    "Batches",
    "Corpus",
    "CorpusError",
    "Recognition",
    "WordCounter",
    "count_words",
    "read_batches",
    "read_corpus",
    "read_vocabulary",
    "recognise",
]
