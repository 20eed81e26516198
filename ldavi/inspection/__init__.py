"""Inspection of topics and documents: words, sizes, labels, distances and intervals, as tables and arrays.

Every function takes a fitted estimator, of this package or scikit-learn, a pipeline that ends with one, a model of
gensim or tomotopy, or any (n_topics, n_words) array. A pipeline also counts texts that are given as X. If topics have
names, the tables have a column topic_name.
"""

from ldavi.inspection._checks import (
    Dispersion,
    posterior_predictive_check,
    residual_dispersion,
    topic_checks,
    word_checks,
)
from ldavi.inspection._documents import document_words, representative_documents, topic_sizes
from ldavi.inspection._export import all_tables, to_pandas, to_polars, write_tables
from ldavi.inspection._geometry import topic_correlations, topic_distances, topic_map
from ldavi.inspection._group_shares import shares_by_group
from ldavi.inspection._intervals import beta_intervals, theta_intervals
from ldavi.inspection._intrusion import IntrusionQuestion, IntrusionTest, topic_intrusion, word_intrusion
from ldavi.inspection._judges import TopicDescription, name_topics, rate_topics
from ldavi.inspection._labels import topic_labels
from ldavi.inspection._similar import nearest_topics, similar_documents
from ldavi.inspection._summary import Summary, summary
from ldavi.inspection._theta_samples import theta_samples
from ldavi.inspection._topic_regression import TopicRegression, estimate_effect, topic_regression
from ldavi.inspection._tree import suggest_merges, topic_tree
from ldavi.inspection._words import top_words, top_words_lists, word_scores

__all__ = [
    "Dispersion",
    "IntrusionQuestion",
    "IntrusionTest",
    "Summary",
    "TopicDescription",
    "TopicRegression",
    "all_tables",
    "beta_intervals",
    "document_words",
    "estimate_effect",
    "name_topics",
    "nearest_topics",
    "posterior_predictive_check",
    "rate_topics",
    "representative_documents",
    "residual_dispersion",
    "shares_by_group",
    "similar_documents",
    "suggest_merges",
    "summary",
    "theta_intervals",
    "theta_samples",
    "to_pandas",
    "to_polars",
    "top_words",
    "top_words_lists",
    "topic_checks",
    "topic_correlations",
    "topic_distances",
    "topic_intrusion",
    "topic_labels",
    "topic_map",
    "topic_regression",
    "topic_sizes",
    "topic_tree",
    "word_checks",
    "word_intrusion",
    "word_scores",
    "write_tables",
]
