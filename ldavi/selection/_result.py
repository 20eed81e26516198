"""Summarise the fits of a sweep and recommend a number of topics. Equations (S1) to (S8) of docs/selection.md."""

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np

from ldavi import metrics
from ldavi._core.tables import table
from ldavi._core.typing import Doubles, Int64s
from ldavi._estimator import validation as check
from ldavi._inference.document_completion import perplexity_of
from ldavi.selection import _display
from ldavi.selection._design import Fit

Rule: TypeAlias = Literal["one_standard_error", "best", "coherence", "likelihood_and_coherence"]
RULES = get_args(Rule)


class Recommendation(NamedTuple):
    """A recommended number of topics and the reason for it.

    Attributes
    ----------
    n_components : int
        The recommended number of topics.
    rule : str
        The name of the rule.
    best : int
        The number of topics with the highest held-out log-likelihood, or coherence with the rule "coherence".
    gap : float
        Difference between the log-likelihoods of `best` and `n_components`, in nats per token, or between their
        coherence with the rule "coherence"; 0 if they are the same.
    gap_std_error : float
        Standard error of `gap`; 0 if they are the same.
    at_edge : bool
        Whether `n_components` or `best` is the smallest or the largest number of the grid, which is then too narrow.
    reason : str
        The rule and its figures as a sentence.
    """

    n_components: int
    rule: str
    best: int
    gap: float
    gap_std_error: float
    at_edge: bool
    reason: str


@dataclass(frozen=True, eq=False, repr=False)
class Sweep:
    """The result of a sweep over numbers of topics, displayed as a small table in a terminal and in a notebook.

    Attributes
    ----------
    table : DataFrame, or structured array without pandas
        A row for each number of topics, see :func:`sweep`.
    fits : tuple of Fit
        Every fit, ordered by number of topics, fold and restart.
    n_components : array of shape (n_grid,)
        The numbers of topics, in ascending order.
    document_log_likelihood : array of shape (n_grid, n_held_out)
        Log-likelihood of each held-out document, in nats, under the restart of its fold with the highest bound.
    document_tokens : array of shape (n_held_out,)
        Number of scored tokens of each held-out document.
    restart_variance : array of shape (n_grid,)
        Variance of the log-likelihood per token over restarts; NaN for one restart.
    document_folds : array of shape (n_held_out,) or None
        The fold in which each document is held out; None for one fold.
    """

    table: Any
    fits: tuple[Fit, ...]
    n_components: Int64s
    document_log_likelihood: Doubles
    document_tokens: Int64s
    restart_variance: Doubles
    document_folds: Int64s | None = None

    def __repr__(self) -> str:
        return _display.text_of(self)

    def _repr_html_(self) -> str:
        return _display.html_of(self)

    def recommend(self, rule: Rule = "one_standard_error") -> Recommendation:
        """Recommend a number of topics by the held-out log-likelihood, by coherence, or by both.

        Parameters
        ----------
        rule : {"one_standard_error", "best", "coherence", "likelihood_and_coherence"}, default="one_standard_error"
            "one_standard_error" chooses the smallest number of topics whose log-likelihood per token is below the
            highest by at most the standard error of the difference. "best" chooses the number with the highest.
            "coherence" chooses the smallest number whose coherence is below the highest by at most the standard error
            of the difference. "likelihood_and_coherence" chooses the number with the highest coherence among those that
            "one_standard_error" allows: all whose log-likelihood is within one standard error of the highest.

        Returns
        -------
        recommendation : Recommendation
            The number as `n_components`, and a `reason` to print.

        Raises
        ------
        ValueError
            If `rule` is unknown, or every number of topics gives some held-out word the probability 0.

        References
        ----------
        Breiman, Friedman, Olshen, Stone. "Classification and regression trees". 1984, section 3.4.3 (the rule).
        """
        check.check_choice("rule", rule, RULES)
        if rule == "coherence":
            return self._by_coherence()
        likelihood = self.document_log_likelihood.sum(axis=1) / max(float(self.document_tokens.sum()), 1.0)
        if not np.isfinite(likelihood).any():
            raise ValueError(
                "every number of topics gives some held-out word the probability 0; give topics a prior above 0"
            )
        scores, tokens = self.document_log_likelihood, self.document_tokens
        gap, error = gaps(scores, tokens, self.restart_variance, self.document_folds)
        best = int(np.argmax(likelihood))
        allowed = np.flatnonzero(gap <= error)
        chosen = best if rule == "best" else int(allowed[0])
        if rule == "likelihood_and_coherence":
            chosen = int(allowed[np.argmax(np.asarray(self.table["coherence"])[allowed])])
        return self._recommendation(rule, chosen, best, gap, error, self._reason(rule, chosen, best, gap, error))

    def _recommendation(
        self, rule: str, chosen: int, best: int, gap: Doubles, error: Doubles, reason: str
    ) -> Recommendation:
        k = self.n_components
        at_edge = bool({chosen, best} & {0, len(k) - 1})
        return Recommendation(
            int(k[chosen]), rule, int(k[best]), float(gap[chosen]), float(error[chosen]), at_edge, reason
        )

    def _by_coherence(self) -> Recommendation:
        """Recommend the smallest number within one standard error of the highest coherence. Equation (S8)."""
        coherence, error = (np.asarray(self.table[name], dtype=float) for name in ("coherence", "coherence_std_error"))
        best = int(np.argmax(coherence))
        gap = coherence[best] - coherence
        own = np.nan_to_num(error)  # one restart leaves them unknown
        of_gap = np.sqrt(own**2 + own[best] ** 2)
        of_gap[best] = 0.0
        chosen, k = int(np.flatnonzero(gap <= of_gap)[0]), self.n_components
        reason = f"{k[chosen]} topics, by coherence: {k[best]} topics have the highest coherence, {coherence[best]:.4f}"
        if chosen != best:
            reason += f"; {k[chosen]} is the smallest number within one standard error of the difference"
            reason += f" ({gap[chosen]:.4f}, standard error {of_gap[chosen]:.4f})"
        if np.isnan(error[best]):
            reason += ". One restart leaves the standard errors of coherence unknown"
        return self._recommendation("coherence", chosen, best, gap, of_gap, f"{reason}.")

    def _reason(self, rule: str, chosen: int, best: int, gap: Doubles, error: Doubles) -> str:
        """Describe the choice by log-likelihood, and what limits its reliability."""
        k = self.n_components
        likelihood = self.document_log_likelihood.sum(axis=1) / max(float(self.document_tokens.sum()), 1.0)
        top = f"{k[best]} topics have the highest held-out log-likelihood, {likelihood[best]:.4f} nats per token"
        if rule == "best":
            words = [f"{k[chosen]} topics, by the highest log-likelihood: {top}."]
        elif rule == "likelihood_and_coherence":
            allowed = ", ".join(str(number) for number in k[gap <= error])
            coherence = float(np.asarray(self.table["coherence"])[chosen])
            words = [f"{k[chosen]} topics, by log-likelihood and coherence: {top}"]
            words[0] += f"; of the numbers within one standard error of the difference ({allowed})"
            words[0] += f", {k[chosen]} has the highest coherence, {coherence:.4f}."
        else:
            words = [f"{k[chosen]} topics, by the rule of one standard error: {top}"]
            if chosen != best:
                words[0] += f"; {k[chosen]} is the smallest number within one standard error"
                words[0] += f" of the difference ({gap[chosen]:.4f}, standard error {error[chosen]:.4f})"
            if chosen > 0:
                lower, its_error = gap[chosen - 1], error[chosen - 1]
                words[0] += f"; {k[chosen - 1]} topics are lower by {lower:.4f}, standard error {its_error:.4f}"
            words[0] += "."
        if np.isnan(self.restart_variance[best]):
            words.append(
                "One restart leaves the variance over restarts unknown; the standard errors are over documents only."
            )
        if best == len(k) - 1:
            words.append("The best is the largest number of the grid: more topics may be better still.")
        elif chosen == 0:
            words.append("It is the smallest number of the grid: fewer topics may be as good.")
        return " ".join(words)

    def plot(self, *, measures: Any = None, axes: Any = None) -> Any:
        """Plot the measures over the number of topics and mark the recommended number.

        Parameters
        ----------
        measures : sequence of str, or None, default=None
            Columns of `table`; None shows the display's default columns.
        axes : sequence of matplotlib Axes, or None, default=None
            One for each measure; None creates a figure.

        Returns
        -------
        display : SweepDisplay
        """
        from ldavi.plotting import SweepDisplay

        return SweepDisplay.from_sweep(self, measures=measures, axes=axes)


def summarise(fits: Sequence[Fit], tokens: Int64s) -> Sweep:
    """Compute the table of a sweep from its fits."""
    fits = sorted(fits, key=lambda fit: fit[:3])
    grid = sorted({fit.n_components for fit in fits})
    each = [[fit for fit in fits if fit.n_components == k] for k in grid]
    kept, variance = (np.array(part) for part in zip(*(_held_out(own, tokens) for own in each), strict=True))
    total = max(int(tokens.sum()), 1)
    likelihood = kept.sum(axis=1) / total
    folds = _folds(each[0])
    of_documents = np.array([document_variance(row, tokens) for row in kept]) + np.nan_to_num(variance)
    error = np.sqrt(_at_least_over_folds(of_documents, kept, tokens, folds))
    gap, gap_error = gaps(kept, tokens, variance, folds)
    perplexity = np.array([perplexity_of(row.sum(), total) for row in kept])
    columns: dict[str, Any] = {
        "n_components": np.array(grid),
        "perplexity": perplexity,
        "perplexity_std_error": perplexity * error,
        "log_likelihood": likelihood,
        "log_likelihood_std_error": error,
        "gap": gap,
        "gap_std_error": gap_error,
    }
    for name in ("coherence", "diversity", "exclusivity"):
        columns[name], columns[f"{name}_std_error"] = _means(each, operator.attrgetter(name))
    stabilities = np.array([_stability(own) for own in each])
    columns["stability"], columns["stability_std_error"] = stabilities.T
    columns["used"], columns["used_std_error"] = _means(each, lambda fit: float(len(fit.top_words)))
    columns["seconds"], columns["seconds_std_error"] = _means(each, lambda fit: fit.seconds)
    return Sweep(table(**columns), tuple(fits), np.array(grid), kept, tokens, variance, folds)


def gaps(
    scores: Doubles, tokens: Int64s, restart_variance: Doubles, folds: Int64s | None = None
) -> tuple[Doubles, Doubles]:
    """Return the difference per token of each row from the best, and its standard error. Equations (S4), (S7)."""
    total = scores.sum(axis=1)
    best = int(np.argmax(total))
    with np.errstate(invalid="ignore"):  # −∞ − −∞
        difference = scores[best] - scores
    gap = np.where(np.isfinite(total), difference.sum(axis=1) / max(int(tokens.sum()), 1), np.inf)
    gap[best] = 0.0
    variance = np.array([document_variance(row, tokens) for row in difference])
    variance += np.nan_to_num(restart_variance) + np.nan_to_num(restart_variance[best])
    error = np.sqrt(_at_least_over_folds(variance, difference, tokens, folds))
    error[best] = 0.0
    return gap, error


def document_variance(scores: Doubles, tokens: Int64s) -> float:
    """Return the squared standard error over documents of Σ scores / Σ tokens. Equation (S2)."""
    n, total = len(tokens), int(tokens.sum())
    if n < 2 or not total or not np.isfinite(scores).all():
        return math.nan
    residual = scores - tokens * (scores.sum() / total)
    return float(n / (n - 1) * (residual**2).sum() / total**2)


def fold_variance(means: Doubles) -> float:
    """Return the corrected variance of the mean over J folds, whose training documents overlap. Equation (S7).

    Parameters
    ----------
    means : array of shape (J,)
        The value of each fold; J is at least 2.
    """
    n = len(means)
    return float((1 / n + 1 / (n - 1)) * np.var(means, ddof=1))


def _at_least_over_folds(variance: Doubles, scores: Doubles, tokens: Int64s, folds: Int64s | None) -> Doubles:
    """Return the larger of a variance over documents and restarts and that over folds, for each row of scores."""
    if folds is None:
        return variance
    n = int(folds.max()) + 1
    of_fold = np.maximum(np.bincount(folds, tokens, n), 1)
    over_folds = [
        fold_variance(np.bincount(folds, row, n) / of_fold) if np.isfinite(row).all() else math.nan for row in scores
    ]
    larger: Doubles = np.fmax(variance, np.array(over_folds))
    return larger


def _folds(fits: list[Fit]) -> Int64s | None:
    """Return the fold of each held-out document, in the order of `_held_out`; None for one fold."""
    sizes = {fit.fold: len(fit.document_log_likelihood) for fit in fits}
    return np.repeat(np.arange(len(sizes)), [sizes[fold] for fold in sorted(sizes)]) if len(sizes) > 1 else None


def restart_variance(scores: Doubles) -> float:
    """Return the bootstrap variance of the best restart's score, `scores` ordered by bound. Equation (S3)."""
    n = len(scores)
    if n < 2 or not np.isfinite(scores).all():
        return math.nan
    rank = np.arange(n)
    weight = ((n - rank) / n) ** n - ((n - rank - 1) / n) ** n
    return float(weight @ (scores - weight @ scores) ** 2)


def _held_out(fits: list[Fit], tokens: Int64s) -> tuple[Doubles, float]:
    """Return the score of each held-out document under the best restart of its fold, and the variance over restarts."""
    kept, variance, start = [], 0.0, 0
    for fold in sorted({fit.fold for fit in fits}):
        ranked = sorted((fit for fit in fits if fit.fold == fold), key=lambda fit: (-fit.bound, fit.restart))
        stop = start + len(ranked[0].document_log_likelihood)
        share = tokens[start:stop].sum() / max(int(tokens.sum()), 1)
        variance += share**2 * restart_variance(np.array([fit.log_likelihood for fit in ranked]))
        kept.append(ranked[0].document_log_likelihood)
        start = stop
    return np.concatenate(kept), variance


def _means(fits: Sequence[list[Fit]], value: Callable[[Fit], float]) -> tuple[Doubles, Doubles]:
    """Return the mean of a value over fits and its standard error, NaN where it is undefined, for each list of fits.

    The error is over restarts, and over folds if there are several: fits of different folds share documents.
    """
    means, errors = [], []
    for own in fits:
        values, fold = np.array([value(fit) for fit in own]), np.array([fit.fold for fit in own])
        of_folds = np.array([values[fold == number].mean() for number in np.unique(fold)])
        means.append(float(values.mean()))
        if len(of_folds) > 1:
            errors.append(math.sqrt(fold_variance(of_folds)))
        else:
            errors.append(float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.nan)
    return np.array(means), np.array(errors)


def _stability(fits: list[Fit]) -> tuple[float, float]:
    """Return the mean agreement of two restarts of a fold, and its standard error. Equations (S5) to (S7)."""
    weighted, variance, n_fits, of_folds = 0.0, 0.0, 0, list[float]()
    for fold in sorted({fit.fold for fit in fits}):
        words = [fit.top_words for fit in fits if fit.fold == fold and len(fit.top_words)]
        if len(words) < 2:
            continue
        with_others = (_agreement(words).sum(axis=1) - 1) / (len(words) - 1)
        of_folds.append(float(with_others.mean()))
        weighted += len(words) * of_folds[-1]
        variance += len(words) ** 2 * jackknife_variance(with_others)
        n_fits += len(words)
    if not n_fits:
        return math.nan, math.nan
    over_folds = fold_variance(np.array(of_folds)) if len(of_folds) > 1 else math.nan
    return weighted / n_fits, math.sqrt(float(np.fmax(variance / n_fits**2, over_folds)))


def _agreement(words: list[Int64s]) -> Doubles:
    """Return the mean similarity of the matched topics of any two fits, given the top words of the topics of each."""
    columns = np.unique(np.concatenate(words))
    n_words = words[0].shape[1]
    ranked = [np.zeros((len(own), len(columns))) for own in words]
    for weights, own in zip(ranked, words, strict=True):
        np.put_along_axis(weights, np.searchsorted(columns, own), np.arange(n_words, 0, -1.0)[None], axis=1)
    return metrics.stability(ranked, "jaccard", n_words).pairwise


def jackknife_variance(with_others: Doubles) -> float:
    """Return the jackknife variance of a mean over all pairs of R items; NaN for R < 3. Equation (S6).

    The pairs of an item are dependent, so their variance over pairs would be too small. Without item r, of which m_r is
    the mean over its pairs, the mean U over pairs becomes U_r = (R U − 2 m_r) / (R − 2). The variance
    (R − 1) / R Σ_r (U_r − U)² is therefore 4 (R − 1) / (R (R − 2)²) Σ_r (m_r − U)².

    Parameters
    ----------
    with_others : array of shape (R,)
        m_r, the mean of each item's pairs.
    """
    n = len(with_others)
    if n < 3:
        return math.nan
    return float(4 * (n - 1) / (n * (n - 2) ** 2) * ((with_others - with_others.mean()) ** 2).sum())
