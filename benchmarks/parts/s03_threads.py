"""S3: a complete fit with two threads against one, and a grid search with two worker processes against one."""

from typing import Any

import numpy as np
from scipy import sparse

from benchmarks import timing
from benchmarks.adapters import ldavi_
from benchmarks.corpora import Corpora

TITLE = "two threads against one"
THREADS = 2


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    X, _ = corpora.split(config["corpus"], config["judged_documents"])
    n_topics = config["n_topics"]
    models: dict[str, Any] = {}

    def fit(n_jobs: int) -> None:
        models[str(n_jobs)] = ldavi_.train(X, n_topics, 0, n_jobs=n_jobs)

    jobs = {"1 thread": lambda: fit(1), "2 threads": lambda: fit(2)}
    seconds = timing.take_turns(jobs, config["repeats"])
    name = f"whole fit, {corpora.describe(config['corpus'])} K={n_topics}"
    same = bool(np.array_equal(models["1"].components_, models["2"].components_))
    whole = timing.ratio_case(
        name, seconds, "1 thread", "2 threads", target=config["target"], same_bits=same, passes=int(models["1"].n_iter_)
    )
    return {
        "cases": [whole, _grid_search(config, X)],
        "notes": [] if same else ["the bits differ between thread counts"],
    }


def _grid_search(config: dict[str, Any], X: sparse.csr_array) -> dict[str, Any]:
    from sklearn.model_selection import GridSearchCV

    from ldavi import LatentDirichletAllocation

    grid = config["grid"]

    def search(n_jobs: int) -> None:
        model = LatentDirichletAllocation(max_iter=grid["passes"], tol=None, random_state=0)
        GridSearchCV(model, {"n_components": grid["n_components"]}, cv=2, n_jobs=n_jobs, refit=False).fit(X)

    seconds = timing.take_turns({"1 worker": lambda: search(1), "2 workers": lambda: search(2)}, config["repeats"])
    return timing.ratio_case("GridSearchCV(cv=2)", seconds, "1 worker", "2 workers", target=1.0)
