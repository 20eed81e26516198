"""The estimator checks of scikit-learn, for every learning method."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from ldavi import LatentDirichletAllocation

METHODS = ("batch", "online", "memoized")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:X holds no counts:UserWarning")
@pytest.mark.filterwarnings("ignore:X holds fractions:UserWarning")  # as some of the checks do
@parametrize_with_checks(
    [
        LatentDirichletAllocation(n_components=3, max_iter=5, learning_method=method, inference="vb")
        for method in METHODS
    ]
)
def test_passes_every_estimator_check(estimator, check):
    check(estimator)
