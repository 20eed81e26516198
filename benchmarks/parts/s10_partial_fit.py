"""S10: time of a batch of `partial_fit`, and its dependence on the size of the vocabulary.

Both libraries process the same batches in the same order with the same priors. ldavi makes few inner iterations in an
online step. scikit-learn is measured with its own limit and with ldavi's, to separate the effect of fewer inner
iterations. The vocabulary is enlarged by empty columns.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.decomposition import LatentDirichletAllocation as Sklearn

from benchmarks import timing
from benchmarks.corpora import Corpora, widened
from ldavi import LatentDirichletAllocation

TITLE = "partial_fit on a batch"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    X, _ = corpora.split(config["corpus"], config["judged_documents"])
    X = X[: config["batch_size"] * 64].astype(np.float32)
    where = f"K={config['n_topics']}, {config['batch_size']} documents of {corpora.describe(config['corpus'])}"
    jobs = {}
    for n_words in config["widths"]:
        wide = widened(X, n_words)
        jobs[f"ldavi V={n_words}"] = _steps(config, LatentDirichletAllocation, wide)
        if n_words in config["peer_widths"]:
            for max_inner_iter in config["peer_inner_iter"]:
                data = sparse.csr_matrix(wide)
                jobs[_peer(n_words, max_inner_iter)] = _steps(config, Sklearn, data, max_doc_update_iter=max_inner_iter)
    seconds = timing.take_turns(jobs, config["repeats"])
    per_batch = {name: [second / config["batches"] for second in values] for name, values in seconds.items()}
    first = config["widths"][0]
    cases = []
    for n_words, max_inner_iter in itertools.product(config["peer_widths"], config["peer_inner_iter"]):
        target = config["target"] if n_words == first else None
        names = [_peer(n_words, max_inner_iter), f"ldavi V={n_words}"]
        pair = {name: per_batch[name] for name in names}
        cases.append(timing.ratio_case(f"a batch, V={n_words}, {where}", pair, *names, target=target))
    for n_words in config["widths"][1:]:
        names = [f"ldavi V={n_words}", f"ldavi V={first}"]
        cases.append(timing.ratio_case(f"growth, {where}", {name: per_batch[name] for name in names}, *names))
    return {"cases": cases, "notes": []}


def _peer(n_words: int, max_inner_iter: int) -> str:
    """Return the label of a job of scikit-learn in result files."""
    return f"sklearn V={n_words} sweeps<={max_inner_iter}"


def _steps(config: dict[str, Any], estimator: Any, X: Any, **parameters: Any) -> Any:
    """Return a job that calls `partial_fit` on the next few batches, one call per batch."""
    size = config["batch_size"]
    model = estimator(
        config["n_topics"],
        doc_topic_prior=config["alpha"],
        topic_word_prior=config["eta"],
        learning_method="online",
        batch_size=size,
        total_samples=1e6,
        random_state=0,
        **parameters,
    )
    starts: Iterator[int] = itertools.cycle(range(0, X.shape[0] - size + 1, size))
    batches = {start: X[start : start + size] for start in range(0, X.shape[0] - size + 1, size)}
    model.partial_fit(batches[next(starts)])

    def step() -> None:
        for start in itertools.islice(starts, config["batches"]):
            model.partial_fit(batches[start])

    return step
