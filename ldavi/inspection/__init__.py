"""Inspection of topics and documents: words, sizes, labels, distances and intervals, as tables and arrays.

Every function takes a fitted estimator, of this package or scikit-learn, or any (n_topics, n_words) array.
"""

from ldavi.inspection._documents import document_words, representative_documents, topic_sizes
from ldavi.inspection._export import all_tables, to_pandas, to_polars, write_tables
from ldavi.inspection._geometry import topic_correlations, topic_distances, topic_map
from ldavi.inspection._group_shares import shares_by_group
from ldavi.inspection._intervals import beta_intervals, theta_intervals
from ldavi.inspection._labels import topic_labels
from ldavi.inspection._similar import nearest_topics, similar_documents
from ldavi.inspection._summary import Summary, summary
from ldavi.inspection._theta_samples import theta_samples
from ldavi.inspection._topic_regression import TopicRegression, estimate_effect, topic_regression
from ldavi.inspection._words import top_words, top_words_lists, word_scores

__all__ = [
    "Summary",
    "TopicRegression",
    "all_tables",
    "beta_intervals",
    "document_words",
    "estimate_effect",
    "nearest_topics",
    "representative_documents",
    "shares_by_group",
    "similar_documents",
    "summary",
    "theta_intervals",
    "theta_samples",
    "to_pandas",
    "to_polars",
    "top_words",
    "top_words_lists",
    "topic_correlations",
    "topic_distances",
    "topic_labels",
    "topic_map",
    "topic_regression",
    "topic_sizes",
    "word_scores",
    "write_tables",
]
