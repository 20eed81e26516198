"""S6: time and quality of inferred topic proportions of new documents, with each library's own stopping rule.

scikit-learn is given ldavi's topics and priors; tomotopy has topics of its own. Quality is the perplexity of the
second halves of the documents under θ inferred from the first halves.
"""

from typing import Any

from scipy import sparse

from benchmarks import judge, timing
from benchmarks.adapters import ldavi_, sklearn_, tomotopy_
from benchmarks.corpora import Corpora

TITLE = "transform of new documents"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    X, new = corpora.split(config["corpus"], config["judged_documents"])
    K, priors = config["n_topics"], {"doc_topic_prior": config["alpha"], "topic_word_prior": config["eta"]}
    halves = judge.halve(new)
    observed = judge.observed_counts(halves, X.shape[1])
    ours = ldavi_.train(X, K, 0, max_iter=config["passes"], tol=None, **priors)
    theirs = sklearn_.with_topics(ours.components_, sklearn_.prepare(X), **priors)
    name = f"{new.shape[0]} documents, {corpora.describe(config['corpus'])} K={K}"
    cases = []
    for dtype in ("int32", "float32"):
        given = sklearn_.prepare(new.astype(dtype))
        jobs = {"ldavi": lambda: ours.transform(new), "sklearn": lambda given=given: theirs.transform(given)}
        seconds = timing.take_turns(jobs, config["repeats"])
        theta = {"ldavi": ours.transform(observed), "sklearn": theirs.transform(sklearn_.prepare(observed))}
        cases.append(
            timing.ratio_case(
                f"{name}, scikit-learn given {dtype}",
                seconds,
                "sklearn",
                "ldavi",
                target=config["targets"]["sklearn"],
                perplexity={
                    key: judge.predictive_perplexity(value, ours.topics_, halves) for key, value in theta.items()
                },
            )
        )
    cases.append(_tomotopy(config, X, new, observed, halves, ours, name))
    return {"cases": cases, "notes": []}


def _tomotopy(
    config: dict[str, Any],
    X: sparse.csr_array,
    new: sparse.csr_array,
    observed: sparse.csr_array,
    halves: judge.Halves,
    ours: Any,
    name: str,
) -> dict[str, Any]:
    model = tomotopy_.train(tomotopy_.prepare(X), config["n_topics"], 0, **config["tomotopy"])
    tokens, iterations = tomotopy_.prepare(new), config["infer_iterations"]
    # Inference changes its documents, so every turn has its own, prepared beforehand; one turn is not timed.
    documents = [tomotopy_.new_documents(model, tokens) for _ in range(config["repeats"] + 1)]
    jobs = {
        "ldavi": lambda: ours.transform(new),
        "tomotopy": lambda: tomotopy_.infer(model, documents.pop(), iterations),
    }
    seconds = timing.take_turns(jobs, config["repeats"])
    topics = tomotopy_.topics(model, X.shape[1])
    theta = tomotopy_.infer(model, tomotopy_.new_documents(model, tomotopy_.prepare(observed)), iterations)
    quality = {
        "ldavi": judge.predictive_perplexity(ours.transform(observed), ours.topics_, halves),
        "tomotopy": judge.predictive_perplexity(theta, topics, halves),
    }
    target = config["targets"]["tomotopy"]
    return timing.ratio_case(f"{name}, tomotopy infer", seconds, "tomotopy", "ldavi", target=target, perplexity=quality)
