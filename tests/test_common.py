"""The estimator checks of scikit-learn, for every combination of engine, initial topics, precision and priors."""

import itertools

import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

from ldavi import LatentDirichletAllocation

ENGINES = [
    {"inference": inference, "learning_method": method}
    for inference in ("vb", "cvb0")
    for method in ("batch", "online", "memoized")
]
INITS = ("auto", "random")  # an array has the columns of one X, and the checks have many
DTYPES = (None, "float32", "float64")
PRIORS = [
    {"doc_topic_prior": None, "topic_word_prior": None},
    {"doc_topic_prior": 0.1, "topic_word_prior": 0.05},
    {"doc_topic_prior": "auto", "topic_word_prior": "auto"},
    {"doc_topic_prior": np.array([0.5, 0.1, 0.2]), "topic_word_prior": 0.05},
    {"doc_topic_prior": "auto", "topic_word_prior": 0},  # topics that are point estimates
]
FACTORS = (ENGINES, INITS, DTYPES, PRIORS)


def is_allowed(levels):
    """Return whether `fit` accepts the combination; the reasons are in its messages."""
    engine, _, _, prior = (factor[level] for factor, level in zip(FACTORS, levels, strict=True))
    return prior["topic_word_prior"] != 0 or engine["inference"] != "cvb0"


PRODUCT = [levels for levels in itertools.product(*(range(len(factor)) for factor in FACTORS)) if is_allowed(levels)]


def pairs_of(levels):
    """Return the pairs of levels of any two factors."""
    return set(itertools.combinations(enumerate(levels), 2))


def pairwise(combinations):
    """Return a few of the combinations in which each pair of levels occurs that occurs in any of them."""
    left, chosen = set().union(*map(pairs_of, combinations)), []
    while left:
        best = max(combinations, key=lambda levels: len(pairs_of(levels) & left))
        chosen.append(best)
        left -= pairs_of(best)
    return chosen


def estimator_of(levels):
    engine, init, dtype, prior = (factor[level] for factor, level in zip(FACTORS, levels, strict=True))
    return LatentDirichletAllocation(3, max_iter=5, init=init, dtype=dtype, **engine, **prior)


REPEATED = ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data")
OF_ONE_TOPIC = (
    "check_dont_overwrite_parameters",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_fit2d_1sample",
    "check_fit2d_1feature",
    "check_fit2d_predict1d",
)


def expected_failures(estimator):
    """Return the checks that fail, and why; those of weights are in the docstring of `fit`."""
    failures = {}
    if np.ndim(estimator.doc_topic_prior):
        failures |= dict.fromkeys(OF_ONE_TOPIC, "the check sets n_components=1, and doc_topic_prior has 3 values")
    precedes_vb = estimator.learning_method == "batch" and estimator.topic_word_prior != 0
    if (
        estimator.inference == "vb"
        and precedes_vb
        and estimator.init == "random"
        and np.ndim(estimator.doc_topic_prior)
    ):
        return failures  # few passes over noise put all tokens into the topic of the largest α, whatever is sampled
    is_online = estimator.learning_method == "online" and estimator.topic_word_prior != 0  # after collapsed passes
    if is_online or (estimator.learning_method != "online" and (estimator.inference == "cvb0" or precedes_vb)):
        failures |= dict.fromkeys(REPEATED, "collapsed passes sample topics for each document: copies have their own")
    elif estimator.dtype == "float32":
        failures |= dict.fromkeys(REPEATED, "it compares to 1e-7, and sums of copies round differently in float32")
    return failures


QUICK = pairwise(PRODUCT)
SLOW = [levels for levels in PRODUCT if levels not in QUICK]
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:X holds no counts:UserWarning"),
    pytest.mark.filterwarnings("ignore:X holds fractions:UserWarning"),  # as some of the checks do
]


@parametrize_with_checks([estimator_of(levels) for levels in QUICK], expected_failed_checks=expected_failures)
def test_passes_every_estimator_check(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.parametrize("levels", SLOW, ids=lambda levels: "-".join(map(str, levels)))
def test_passes_every_estimator_check_in_the_other_combinations(levels):
    estimator = estimator_of(levels)
    expected = expected_failures(estimator)
    results = check_estimator(estimator, expected_failed_checks=expected, on_skip=None, on_fail=None)
    assert [result for result in results if result["status"] == "failed"] == []
    assert {result["check_name"] for result in results if result["status"] == "xfail"} == set(expected)


def test_passes_the_checks_of_one_topic_with_an_array_of_priors():
    check_estimator(LatentDirichletAllocation(1, max_iter=5, doc_topic_prior=np.array([0.3])), on_skip=None)


def test_the_quick_combinations_have_every_pair_of_levels_of_the_product():
    of_product, of_quick = (set().union(*map(pairs_of, some)) for some in (PRODUCT, QUICK))
    assert of_product == of_quick
    assert len(QUICK) < len(PRODUCT) / 5
