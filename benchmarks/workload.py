"""Time one job through ldavi's public interface; `benchmarks.compare` runs it once per commit and turn.

python -m benchmarks.workload S4 [--data DIR] [--quick]      prints seconds
"""

import argparse
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import corpora, settings, timing

Job = Callable[[], object]


def fit(X: Any, n_topics: int, **parameters: Any) -> Job:
    """Return a fit with a fixed number of passes."""
    from ldavi import LatentDirichletAllocation

    return lambda: LatentDirichletAllocation(n_topics, random_state=0, tol=None, **parameters).fit(X)


def estep(X: Any, n_topics: int, n_inner_iter: int) -> Job:
    """Return a call of `infer` with a fixed number of inner iterations; it includes the preparation of topics."""
    import ldavi

    topics = np.random.default_rng(0).random((n_topics, X.shape[1])) + 0.01
    topics /= topics.sum(axis=1, keepdims=True)
    return lambda: ldavi.infer(X, topics, 0.1, mean_change_tol=0, max_doc_update_iter=n_inner_iter)


def transform(X: Any, new: Any, n_topics: int) -> Job:
    """Fit a model, and return its `transform` of new documents."""
    from ldavi import LatentDirichletAllocation

    model = LatentDirichletAllocation(n_topics, random_state=0, max_iter=10, tol=None).fit(X)
    return lambda: model.transform(new)


def partial_fit(X: Any, n_topics: int, size: int) -> Job:
    """Return a call of `partial_fit` with four online steps."""
    from ldavi import LatentDirichletAllocation

    model = LatentDirichletAllocation(n_topics, random_state=0, learning_method="online", batch_size=size)
    return lambda: model.partial_fit(X[: 4 * size])


def job_of(part: str, config: dict[str, Any], source: corpora.Corpora) -> Job:
    """Return the job that represents a part; it is prepared, but not yet run."""
    names = config.get("corpora")
    X, new = source.split(config.get("corpus") or names[0])
    K = config["n_topics"] if isinstance(config["n_topics"], int) else config["n_topics"][-1]
    makers: dict[str, Callable[[], Job]] = {
        "S2": lambda: estep(X, K, config["n_inner_iter"]),
        "S3": lambda: fit(X, K, max_iter=20, n_jobs=2),
        "S4": lambda: fit(X, K, max_iter=20),
        "S6": lambda: transform(X, new, K),
        "S7": lambda: fit(X, K, max_iter=2),
        "S10": lambda: partial_fit(X, K, config["batch_size"]),
        "cvb0": lambda: fit(X, K, max_iter=20, inference="cvb0"),
    }
    return makers[part]()


PARTS = ("S2", "S3", "S4", "S6", "S7", "S10", "cvb0")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--data")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    config = settings.load("S4" if arguments.part == "cvb0" else arguments.part, quick=arguments.quick)
    job = job_of(arguments.part, config, corpora.from_environment(arguments.data, config["shapes"]))
    job()
    print(timing.seconds_of(job))


if __name__ == "__main__":
    main()
