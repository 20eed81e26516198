"""Summary of a fitted model on one screen: its topics, how the fit ended, its priors."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ldavi._core.library_models import LibraryModel, fitted_model
from ldavi._core.topics_of_model import ModelOrTopics, feature_names_of, topic_names_of, topics_of
from ldavi._core.typing import Doubles, Matrix, Names
from ldavi._estimator import validation as check
from ldavi.inspection._documents import fit_tokens, shares_of, topic_sizes
from ldavi.inspection._words import top_words_lists

PRIORS = (("α", "doc_topic_prior"), ("η", "topic_word_prior"))
CELL = "text-align:left;vertical-align:top;padding:0.1em 0.8em 0.1em 0"


@dataclass(frozen=True, repr=False)
class Summary:
    """The result of :func:`summary`: displayed as text in a terminal and as tables in a notebook.

    Attributes
    ----------
    title : str
        The model's class and size.
    facts : dict of str to str
        How the fit ended, its ELBO in nats and its perplexity, the priors: those that the model has.
    topics : list of (int, float or None, list of str)
        Number, share of the tokens (None where it is not known) and top words of each topic that is shown; the largest
        first.
    n_hidden : int
        Topics that are not shown.
    topic_names : dict of int to str
        The names of the topics that have one.
    """

    title: str
    facts: dict[str, str]
    topics: list[tuple[int, float | None, list[str]]]
    n_hidden: int
    topic_names: dict[int, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        lines = [self.title, *(f"{name:>11}  {value}" for name, value in self.facts.items()), ""]
        width = max((len(str(topic)) for topic, _, _ in self.topics), default=1)
        lines += [
            f"{topic:>{width}} {_percent(share):>6}  {self._described(topic, words)}"
            for topic, share, words in self.topics
        ]
        return "\n".join(lines + ([f"… {self.n_hidden} smaller topics"] if self.n_hidden else []))

    def _repr_html_(self) -> str:
        facts = "".join(_row("th", name, value) for name, value in self.facts.items())
        head = _row("th", "topic", "share", "words", cells="th")
        topics = "".join(
            _row("td", str(topic), _percent(share), self._described(topic, words))
            for topic, share, words in self.topics
        )
        more = f"<p>… {self.n_hidden} smaller topics</p>" if self.n_hidden else ""
        return f"<div><b>{html.escape(self.title)}</b><table>{facts}</table><table>{head}{topics}</table>{more}</div>"

    def _described(self, topic: int, words: list[str]) -> str:
        """Return "name: words", or the words of a topic without a name."""
        name = self.topic_names.get(topic)
        return _printable(words if name is None else [f"{name}:", *words])


def summary(
    model: ModelOrTopics,
    X: Matrix | None = None,
    *,
    n_words: int = 8,
    n_topics: int | None = 20,
    feature_names: Names | None = None,
) -> Summary:
    """Summarise a fitted model on one screen, for a notebook or a terminal.

    Parameters
    ----------
    model : model or array of shape (n_topics, n_words)
        Fitted topics: an estimator, a pipeline that ends with one, a model of gensim or tomotopy, or weights.
    X : array-like or sparse matrix of shape (n_docs, n_words), or None, default=None
        Counts from which the sizes of topics are computed, see :func:`topic_sizes`. None takes the documents of the
        fit; an array of topics then has no sizes.
    n_words : int, default=8
        Number of words per topic.
    n_topics : int or None, default=20
        Topics to show, the largest first; None shows all.
    feature_names : array-like of str of shape (n_words,), or None, default=None
        Names of the words; None takes those of the model or its pipeline, else "x0", "x1", ….

    Returns
    -------
    summary : Summary
        Its `repr` is text, its `_repr_html_` a table in which names are escaped.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or X or feature_names have another number of words than the topics.

    Examples
    --------
    >>> from ldavi.inspection import summary
    >>> summary([[3, 1, 0], [0, 1, 9]], [[6, 2, 0], [0, 0, 2]], n_words=2, feature_names=["oil", "salt", "row"])
    2 topics over 3 words
    <BLANKLINE>
    0  80.0%  oil salt
    1  20.0%  row salt
    """
    if n_topics is not None:
        check.check_integer("n_topics", n_topics, minimum=1)
    K, V = topics_of(model).shape
    names = feature_names_of(model, V, feature_names)
    words = top_words_lists(model, n_words, feature_names=names)
    shares = _shares(model, X)
    order = range(K) if shares is None else np.argsort(-shares, kind="stable").tolist()
    shown = list(order)[:n_topics]
    found = fitted_model(model)
    named = model if isinstance(found, LibraryModel) else found
    kind = f"{type(named).__name__}: " if hasattr(found, "components_") else ""
    return Summary(
        title=f"{kind}{K:,} topics over {V:,} words",
        facts=_facts(found),
        topics=[(k, None if shares is None else float(shares[k]), [str(word) for word in words[k]]) for k in shown],
        n_hidden=K - len(shown),
        topic_names={k: name for k, name in enumerate(topic_names_of(model) or []) if name},
    )


def _shares(model: ModelOrTopics, X: Matrix | None) -> Doubles | None:
    """Return the topics' shares of the tokens of X, or of the fit; None for an array of topics alone."""
    if X is not None:
        return np.asarray(topic_sizes(model, X)["share"], dtype=np.float64)
    tokens = fit_tokens(model)
    return None if tokens is None else shares_of(tokens)


def _facts(model: Any) -> dict[str, str]:
    facts = {}
    if hasattr(model, "n_iter_"):
        how = " ".join(str(getattr(model, name)) for name in ("inference", "learning_method") if hasattr(model, name))
        ended = "" if not hasattr(model, "converged_") else ", converged" if model.converged_ else ", not converged"
        trace: Any = getattr(model, "elbo_trace_", ())
        time = f", {trace['seconds'][-1]:.2f} s" if len(trace) else ""
        facts["fit"] = f"{how}, {model.n_iter_} passes{ended}{time}"
    if np.isfinite(getattr(model, "elbo_", np.nan)):
        facts["ELBO"] = f"{model.elbo_:.6g}"
    if np.isfinite(getattr(model, "bound_", np.nan)):
        facts["perplexity"] = f"{model.bound_:,.1f} (training)"
    for symbol, name in PRIORS:
        if hasattr(model, f"{name}_"):
            auto = isinstance(given := getattr(model, name, None), str) and given == "auto"
            facts[symbol] = _range(getattr(model, f"{name}_")) + (" (auto)" if auto else "")
    return facts


def _range(values: Any) -> str:
    """Format values as "0.1", or "0.02 to 0.3" where they differ."""
    low, high = float(np.min(values)), float(np.max(values))
    return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _printable(words: list[str]) -> str:
    """Join words to one line; control characters, which could move a terminal's cursor, are escaped."""
    return " ".join("".join(c if c.isprintable() else ascii(c)[1:-1] for c in word) for word in words)


def _row(first: str, *texts: str, cells: str = "td") -> str:
    """Format a table row whose first cell has the tag `first`, and the others the tag `cells`; texts are escaped."""
    tags = [first, *[cells] * (len(texts) - 1)]
    return (
        "<tr>"
        + "".join(f'<{t} style="{CELL}">{html.escape(s)}</{t}>' for t, s in zip(tags, texts, strict=True))
        + "</tr>"
    )
