"""The tables of docs/guide/moving.md: defaults and numbers of other libraries are as stated."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.special import gammaln
from sklearn.decomposition import LatentDirichletAllocation as ScikitLearnLDA

from ldavi import LatentDirichletAllocation, io

PAGE = (Path(__file__).parents[1] / "docs" / "guide" / "moving.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.split("## Names and defaults")[1].split("## Why")[0].splitlines()
    if line.startswith("| ") and "---" not in line
]


def stated(column):
    """Return parameters and their values as a column of the table states them."""
    found = {}
    for row in ROWS[1:]:
        for name, value in re.findall(r"`(\w+)=([^`]+)`", row[column]):
            found[name] = value.strip('"')
    return found


def actual(function):
    return {name: parameter.default for name, parameter in inspect.signature(function).parameters.items()}


def same(value, text):
    return str(value) == text or (isinstance(value, (int, float)) and float(value) == float(text))


def wrong_defaults(column, defaults):
    return {name: text for name, text in stated(column).items() if not same(defaults[name], text)}


def test_our_defaults_are_as_stated():
    assert wrong_defaults(1, actual(LatentDirichletAllocation.__init__)) == {}
    assert len(stated(1)) > 7


def test_scikit_learns_defaults_are_as_stated():
    assert wrong_defaults(2, actual(ScikitLearnLDA.__init__)) == {}
    assert len(stated(2)) > 7


@pytest.mark.interop
def test_gensims_defaults_are_as_stated():
    gensim = pytest.importorskip("gensim")
    parameters = stated(3)
    defaults = actual(gensim.models.LdaModel.__init__)
    assert defaults["minimum_probability"] == 0.01  # smaller proportions are omitted
    parameters["alpha"] = "symmetric"
    assert {name: text for name, text in parameters.items() if not same(defaults[name], text)} == {}


@pytest.mark.interop
def test_tomotopys_defaults_and_likelihood_are_as_stated():
    tomotopy = pytest.importorskip("tomotopy")
    model = tomotopy.LDAModel(seed=1)
    assert (model.k, round(float(model.alpha[0]), 6), round(float(model.eta), 6)) == (1, 0.1, 0.01)
    assert model.optim_interval == 10
    assert actual(tomotopy.LDAModel.train)["iterations"] == 10

    model = tomotopy.LDAModel(k=3, alpha=0.2, eta=0.05, seed=1)
    for words in np.random.default_rng(0).integers(0, 15, (20, 20)):
        model.add_doc([f"w{word}" for word in words])
    model.optim_interval = 0
    model.train(20, workers=1)
    in_doc, of_word = np.zeros((20, 3)), np.zeros((3, model.num_vocabs))
    for d, document in enumerate(model.docs):
        np.add.at(in_doc[d], list(document.topics), 1)
        np.add.at(of_word, (list(document.topics), list(document.words)), 1)
    joint = 0.0  # log p(w, z), equation (7.2) without its sum
    for counts, prior in ((in_doc, 0.2), (of_word, 0.05)):
        size = counts.shape[1]
        joint += (gammaln(counts + prior).sum(axis=1) - gammaln(counts.sum(axis=1) + size * prior)).sum()
        joint += len(counts) * (gammaln(size * prior) - size * gammaln(prior))
    assert model.ll_per_word == pytest.approx(joint / in_doc.sum(), rel=1e-4)
    assert model.perplexity == pytest.approx(np.exp(-model.ll_per_word), rel=1e-4)


@pytest.mark.interop
def test_sparks_defaults_are_as_stated():
    clustering = pytest.importorskip("pyspark.ml.clustering")
    assert wrong_defaults(6, actual(clustering.LDA.__init__)) == {}


@pytest.mark.interop
def test_gensims_log_perplexity_is_the_complete_bound_per_token_in_nats():
    gensim = pytest.importorskip("gensim")
    rng = np.random.default_rng(0)
    topics = rng.dirichlet(np.full(30, 0.2), 3)
    X = np.array([rng.multinomial(40, theta @ topics) for theta in rng.dirichlet(np.full(3, 0.3), 60)])
    bags = [[(int(w), int(row[w])) for w in np.flatnonzero(row)] for row in X]
    words = gensim.corpora.Dictionary([[f"w{w:02}" for w in range(30)]])
    options = {"num_topics": 3, "passes": 5, "iterations": 500, "gamma_threshold": 1e-6, "random_state": 0}
    theirs = gensim.models.LdaModel(bags, id2word=words, dtype=np.float64, **options)
    ours = io.from_gensim(theirs)
    del ours.feature_names_in_
    lam, eta = theirs.state.get_lambda(), theirs.eta
    e_log = np.log(ours.exp_dirichlet_component_)
    own = gammaln(lam).sum() - gammaln(lam.sum(axis=1)).sum() - 3 * (gammaln(eta).sum() - gammaln(eta.sum()))
    own += ((eta - lam) * e_log).sum()
    expected = (ours.score(X.astype(float)) + own) / X.sum()
    assert theirs.log_perplexity(bags) == pytest.approx(expected, rel=1e-4)
