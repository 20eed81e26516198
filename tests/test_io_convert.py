"""Conversion of models: both libraries infer the same topic proportions for the same documents."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from sklearn.decomposition import NMF
from sklearn.decomposition import LatentDirichletAllocation as ScikitLearnLDA

from ldavi import LatentDirichletAllocation, io

FILES = Path(__file__).parent / "model_files"
WORDS = ["cat", "dog", "pet", "walk", "park", "shop", "bond", "stock"]
ANIMALS, MONEY = {"cat", "dog", "pet"}, {"shop", "bond", "stock"}
X = np.array(
    [
        [0, 0, 0, 0, 4, 2, 6, 8], [5, 1, 2, 2, 1, 0, 2, 7], [0, 0, 0, 1, 2, 2, 8, 7], [3, 7, 4, 3, 2, 0, 1, 0],
        [3, 2, 3, 1, 4, 1, 3, 3], [7, 6, 3, 1, 1, 1, 1, 0], [3, 6, 4, 4, 3, 0, 0, 0], [0, 0, 0, 1, 1, 5, 7, 6],
        [2, 1, 2, 1, 2, 3, 3, 6], [2, 1, 1, 3, 2, 2, 4, 5], [2, 3, 4, 3, 2, 2, 3, 1], [2, 1, 1, 2, 1, 3, 5, 5],
        [0, 0, 1, 0, 1, 3, 7, 8], [0, 0, 0, 6, 1, 3, 7, 3], [1, 0, 0, 0, 3, 6, 4, 6], [5, 5, 6, 3, 0, 0, 0, 1],
        [0, 1, 2, 2, 3, 4, 2, 6], [3, 5, 3, 3, 1, 0, 2, 3], [4, 6, 1, 5, 2, 2, 0, 0], [0, 0, 0, 0, 3, 5, 7, 5],
        [0, 0, 0, 0, 3, 3, 6, 8], [9, 3, 4, 3, 1, 0, 0, 0], [2, 1, 1, 1, 2, 3, 7, 3], [11, 3, 2, 4, 0, 0, 0, 0],
    ]
)  # fmt: skip
EXACT = {"mean_change_tol": 1e-10, "max_doc_update_iter": 2000}

pytestmark = pytest.mark.filterwarnings("ignore:X does not have valid feature names")


def fitted(dtype="float64", **parameters):
    settings = {"doc_topic_prior": 0.1, "topic_word_prior": 0.05, "max_iter": 20, "tol": None, **EXACT, **parameters}
    return LatentDirichletAllocation(2, random_state=0, dtype=dtype, **settings).fit(X)


def top_words(model, words=None, n=3):
    names = np.asarray(model.feature_names_in_ if words is None else words)
    return {frozenset(names[np.argsort(-topic)[:n]].tolist()) for topic in model.components_}


def run(code, *arguments):
    """Run a script in its own process, since some libraries print and warn; return its last line, parsed as JSON."""
    process = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code), *map(str, arguments)]
    result = subprocess.run(process, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
    return json.loads(result.stdout.strip().splitlines()[-1])


# scikit-learn


def test_from_sklearn_infers_what_scikit_learn_infers(dtype):
    theirs = ScikitLearnLDA(2, random_state=0, doc_topic_prior=0.3, max_doc_update_iter=2000, mean_change_tol=1e-10)
    theirs.fit(X.astype(dtype))
    ours = io.from_sklearn(theirs).set_params(**EXACT)
    assert ours.components_.dtype == dtype
    np.testing.assert_array_equal(ours.components_, theirs.components_)
    np.testing.assert_allclose(
        ours.transform(X), theirs.transform(X.astype(dtype)), atol=1e-7 if dtype == np.float64 else 1e-4
    )


def test_to_sklearn_infers_what_ldavi_infers(dtype):
    ours = fitted(dtype.name)
    theirs = io.to_sklearn(ours)
    assert isinstance(theirs, ScikitLearnLDA)
    atol = 1e-7 if dtype == np.float64 else 1e-4
    np.testing.assert_allclose(theirs.transform(X.astype(dtype)), ours.transform(X), atol=atol)


def test_a_round_trip_to_sklearn_returns_the_same_model():
    ours = fitted(learning_method="online", batch_size=5)
    back = io.from_sklearn(io.to_sklearn(ours))
    np.testing.assert_array_equal(back.components_, ours.components_)
    assert (back.n_batch_iter_, back.n_iter_, back.batch_size) == (ours.n_batch_iter_, ours.n_iter_, 5)
    assert (back.doc_topic_prior_, back.topic_word_prior_) == (ours.doc_topic_prior_, ours.topic_word_prior_)


@pytest.mark.parametrize("batch_size", [24, "auto"])
def test_both_libraries_take_the_same_next_online_step(batch_size, monkeypatch):
    monkeypatch.setattr("ldavi._estimator.settings.MIN_STEP", 1)
    monkeypatch.setattr("ldavi._estimator.settings.ONLINE_INNER_ITER", 2000)
    monkeypatch.setattr("ldavi._estimator.settings.WARMUP_DIGAMMA_OFFSET", 0.0)
    ours = fitted(total_samples=2000, batch_size=batch_size)
    theirs = io.to_sklearn(ours)
    np.testing.assert_allclose(theirs.partial_fit(X).components_, ours.partial_fit(X).components_, rtol=1e-6)


def test_fitting_a_converted_model_in_scikit_learn_starts_from_scratch():
    theirs = io.to_sklearn(fitted(learning_method="memoized"))
    assert theirs.set_params(max_iter=1).fit(X).components_.shape == (2, 8)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"topic_word_prior": 0}, "point estimates"),
    ],
)
def test_to_sklearn_refuses_unsupported_priors(parameters, message):
    with pytest.raises(ValueError, match=message):
        io.to_sklearn(fitted(**parameters))


@pytest.mark.parametrize(
    "parameters", [{"doc_topic_prior": [0.1, 0.3]}, {"topic_word_prior": np.linspace(0.1, 0.3, 8)}]
)
def test_to_sklearn_uses_the_mean_of_several_priors_with_a_warning(parameters):
    with pytest.warns(UserWarning, match=f"{next(iter(parameters))} became one number"):
        theirs = io.to_sklearn(fitted(**parameters))
    np.testing.assert_allclose(getattr(theirs, f"{next(iter(parameters))}_"), 0.2)


@pytest.mark.parametrize("convert", [io.from_sklearn, io.from_gensim, io.from_tomotopy])
def test_a_model_of_another_kind_is_refused(convert):
    with pytest.raises(TypeError, match="NMF"):
        convert(NMF(2))


@pytest.mark.parametrize(
    "convert",
    [io.to_sklearn, io.to_spark_topics_matrix, lambda lda: io.to_lda_c(lda, "x"), lambda lda: io.to_pyldavis(lda, X)],
)
def test_an_unfitted_model_is_refused(convert):
    with pytest.raises(ValueError, match="not fitted"):
        convert(LatentDirichletAllocation(2))


def test_a_converted_model_can_be_saved_and_loaded(tmp_path):
    ours = io.from_sklearn(ScikitLearnLDA(2, random_state=0).fit(X))
    io.save(ours, tmp_path / "m.ldavi")
    np.testing.assert_array_equal(io.load(tmp_path / "m.ldavi").transform(X), ours.transform(X))


# gensim


def gensim_corpus():
    return [[(int(w), int(document[w])) for w in np.flatnonzero(document)] for document in X]


def gensim_theta(model):
    model.iterations, model.gamma_threshold = 5000, 1e-12
    gamma, _ = model.inference(gensim_corpus())
    return gamma / gamma.sum(axis=1, keepdims=True)


@pytest.mark.interop
@pytest.mark.parametrize("priors", [{}, {"alpha": "auto", "eta": "auto"}, {"alpha": "asymmetric", "eta": 0.2}])
def test_from_gensim_infers_what_gensim_infers(priors):
    models = pytest.importorskip("gensim.models")
    theirs = models.LdaModel(
        gensim_corpus(),
        num_topics=2,
        id2word=dict(enumerate(WORDS)),
        passes=20,
        random_state=1,
        dtype=np.float64,
        **priors,
    )
    ours = io.from_gensim(theirs).set_params(**EXACT)
    np.testing.assert_allclose(ours.topics_, theirs.get_topics(), rtol=1e-6)
    np.testing.assert_allclose(ours.transform(X), gensim_theta(theirs), atol=1e-6)
    assert ours.feature_names_in_.tolist() == WORDS


@pytest.mark.interop
def test_from_gensim_without_words_has_no_names():
    models = pytest.importorskip("gensim.models")
    ours = io.from_gensim(models.LdaModel(gensim_corpus(), num_topics=2, random_state=1))
    assert ours.components_.dtype == np.float32
    assert not hasattr(ours, "feature_names_in_")


@pytest.mark.interop
@pytest.mark.parametrize(
    "priors",
    [
        {},
        {"doc_topic_prior": [0.1, 0.5], "topic_word_prior": np.linspace(0.1, 0.2, 8)},
        {"topic_word_prior": np.linspace(0.1, 0.2, 16).reshape(2, 8)},
    ],
)
def test_to_gensim_infers_what_ldavi_infers(priors):
    pytest.importorskip("gensim")
    ours = fitted(**priors)
    theirs = io.to_gensim(ours, WORDS)
    np.testing.assert_allclose(gensim_theta(theirs), ours.transform(X), atol=1e-6)
    shown = {frozenset(word for word, _ in theirs.show_topic(k, 3)) for k in range(2)}
    assert shown == top_words(ours, WORDS)


@pytest.mark.interop
def test_a_round_trip_to_gensim_returns_the_same_model():
    pytest.importorskip("gensim")
    ours = fitted("float32")
    back = io.from_gensim(io.to_gensim(ours))
    np.testing.assert_allclose(back.components_, ours.components_, rtol=1e-5)
    assert back.doc_topic_prior_ == pytest.approx(0.1)


@pytest.mark.interop
def test_gensim_continues_training_of_a_converted_model():
    pytest.importorskip("gensim")
    theirs = io.to_gensim(fitted(), WORDS)
    theirs.update(gensim_corpus())
    assert top_words(io.from_gensim(theirs)) == top_words(fitted(), WORDS)


# tomotopy


@pytest.mark.interop
def test_from_tomotopy_has_the_same_topics_and_inference():
    tomotopy = pytest.importorskip("tomotopy")
    theirs = tomotopy.LDAModel(k=2, alpha=0.3, eta=0.05, seed=1)
    texts = [np.repeat(WORDS, document).tolist() for document in X]
    for text in texts:
        theirs.add_doc(text)
    theirs.train(300, workers=1)
    ours = io.from_tomotopy(theirs)
    np.testing.assert_allclose(ours.topics_, [theirs.get_topic_word_dist(k) for k in range(2)], rtol=1e-5)
    np.testing.assert_allclose(ours.components_.sum(), X.sum() + 2 * 8 * 0.05, rtol=1e-5)
    np.testing.assert_allclose(np.broadcast_to(ours.doc_topic_prior_, 2), theirs.alpha, rtol=1e-6)
    assert top_words(ours) >= {frozenset(word for word, _ in theirs.get_topic_words(k, 3)) for k in range(2)}
    columns = [WORDS.index(word) for word in ours.feature_names_in_]
    states = [  # of one chain, at different times
        [theirs.infer(theirs.make_doc(text), iterations=iterations)[0] for text in texts]
        for iterations in range(20, 180, 2)
    ]
    sampled = np.mean(states, axis=0)
    np.testing.assert_allclose(ours.transform(X[:, columns]), sampled, atol=0.1)


# Spark


def test_from_spark_expects_one_row_per_word():
    lam = fitted().components_
    ours = io.from_spark(lam.T, doc_topic_prior=[0.1, 0.1], topic_word_prior=0.05, vocabulary=WORDS).set_params(**EXACT)
    np.testing.assert_array_equal(ours.transform(X), fitted().transform(X))
    np.testing.assert_array_equal(io.to_spark_topics_matrix(ours), lam.T)
    assert ours.feature_names_in_.tolist() == WORDS


def test_from_spark_uses_the_default_priors_of_spark():
    ours = io.from_spark(fitted().components_.T)
    assert (ours.doc_topic_prior_, ours.topic_word_prior_) == (0.5, 0.5)


@pytest.mark.parametrize(
    "bad", [np.zeros((3, 2)), np.full((3, 2), np.nan), -np.ones((3, 2)), np.ones(3), np.ones((0, 2))]
)
def test_invalid_topics_are_refused(bad):
    with pytest.raises(ValueError, match="the topics"):
        io.from_spark(bad)


@pytest.mark.parametrize("names", [["a"], [1, 2, 3, 4, 5, 6, 7, 8]])
def test_names_that_do_not_fit_are_refused(names):
    with pytest.raises(ValueError, match="feature_names"):
        io.from_spark(fitted().components_.T, vocabulary=names)


SPARK = """
    import json, sys
    import numpy as np
    from pyspark.ml.clustering import LDA, LocalLDAModel
    from pyspark.ml.linalg import DenseMatrix, MatrixUDT, Vectors, VectorUDT
    from pyspark.sql import SparkSession
    from pyspark.sql.types import DoubleType, IntegerType, StructField, StructType

    folder, X, lam = sys.argv[1], np.array(json.loads(sys.argv[2]), float), np.array(json.loads(sys.argv[3]))
    local = {"spark.sql.shuffle.partitions": "1", "spark.ui.enabled": "false"}
    local |= {"spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1", "spark.sql.codegen.wholeStage": "false"}
    local |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    builder = SparkSession.builder.master("local[1]")
    for name, value in local.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    frame = spark.createDataFrame([(i, Vectors.dense(x)) for i, x in enumerate(X)], ["id", "features"])

    def theta(model):
        rows = model.transform(frame).select("id", "topicDistribution").collect()
        return [row.topicDistribution.tolist() for row in sorted(rows, key=lambda row: row.id)]

    model = LDA(k=2, maxIter=5, seed=1, optimizer="online", subsamplingRate=1.0, docConcentration=[0.3, 0.3]).fit(frame)
    alpha = model.estimatedDocConcentration().toArray().tolist()
    result = {"matrix": model.topicsMatrix().toArray().tolist(), "alpha": alpha, "theta": theta(model)}

    model.write().overwrite().save(folder + "/model")  # then its topics are replaced by ours
    fields = [("vocabSize", IntegerType()), ("topicsMatrix", MatrixUDT()), ("docConcentration", VectorUDT())]
    fields += [("topicConcentration", DoubleType()), ("gammaShape", DoubleType())]
    row = (len(lam), DenseMatrix(*lam.shape, lam.ravel(order="F")), Vectors.dense([0.1, 0.1]), 0.05, 100.0)
    schema = StructType([StructField(name, kind) for name, kind in fields])
    spark.createDataFrame([row], schema).write.mode("overwrite").parquet(folder + "/model/data")
    result["ours"] = theta(LocalLDAModel.load(folder + "/model"))
    print()
    print(json.dumps(result))
    spark.stop()
"""


@pytest.mark.interop
def test_spark_infers_what_ldavi_infers_both_ways(tmp_path):
    pytest.importorskip("pyspark", exc_type=ImportError)
    ours = fitted()
    result = run(SPARK, tmp_path, json.dumps(X.tolist()), json.dumps(io.to_spark_topics_matrix(ours).tolist()))
    theirs = io.from_spark(result["matrix"], doc_topic_prior=result["alpha"], vocabulary=WORDS).set_params(**EXACT)
    np.testing.assert_allclose(theirs.transform(X), result["theta"], atol=5e-3)  # Spark stops at a mean change of 1e-3
    np.testing.assert_allclose(ours.transform(X), result["ours"], atol=5e-3)


# lda-c


def test_from_lda_c_infers_what_lda_c_inferred():
    ours = io.from_lda_c(FILES / "lda_c", feature_names=WORDS).set_params(**EXACT)
    np.testing.assert_allclose(ours.transform(X, normalize=False), np.loadtxt(FILES / "lda_c_gamma.txt"), atol=2e-3)
    assert all(top <= ANIMALS or top <= MONEY for top in top_words(ours))


def test_to_lda_c_writes_what_lda_c_writes(tmp_path):
    io.to_lda_c(io.from_lda_c(FILES / "lda_c"), tmp_path / "again")
    for ending in ("beta", "other"):
        assert (tmp_path / f"again.{ending}").read_text() == (FILES / f"lda_c.{ending}").read_text()


def test_lda_c_preserves_probabilities_of_zero(tmp_path):
    model = io.from_lda_c(FILES / "lda_c")
    model.components_ = np.array([[1.0, 1, 0, 0, 0, 0, 0, 0], [0, 0, 1, 1, 1, 1, 1, 1]])
    io.to_lda_c(model, tmp_path / "zeros")
    assert "-100.0000000000" in (tmp_path / "zeros.beta").read_text()
    np.testing.assert_allclose(io.from_lda_c(tmp_path / "zeros").components_, model.topics_, rtol=1e-9)


def test_to_lda_c_uses_the_mean_of_several_priors_with_a_warning(tmp_path):
    with pytest.warns(UserWarning, match="doc_topic_prior became one number"):
        io.to_lda_c(fitted(doc_topic_prior=[0.1, 0.2]), tmp_path / "m")
    assert io.from_lda_c(tmp_path / "m").doc_topic_prior_ == pytest.approx(0.15)


@pytest.mark.parametrize(
    ("beta", "other"),
    [
        (" -1.0 -0.5\n", "num_topics 2\nnum_terms 2\nalpha 0.1\n"),
        (" 0.7 0.3\n", "num_topics 1\nnum_terms 2\nalpha 0.1\n"),
        (" x y\n", "num_topics 1\nnum_terms 2\nalpha 0.1\n"),
        (" -1.0 -0.5\n -1.0\n", "num_topics 2\nnum_terms 2\nalpha 0.1\n"),
        (" -1.0 -0.5\n", "num_topics 1\nnum_terms 2\n"),
        (" nan -0.5\n", "num_topics 1\nnum_terms 2\nalpha 0.1\n"),
    ],
)
def test_files_that_are_not_from_lda_c_are_refused(beta, other, tmp_path):
    (tmp_path / "m.beta").write_text(beta)
    (tmp_path / "m.other").write_text(other)
    with pytest.raises(ValueError, match=r"lda-c|shape|finite"):
        io.from_lda_c(tmp_path / "m")


# MALLET


def test_from_mallet_state_counts_its_tokens():
    ours = io.from_mallet_state(FILES / "mallet_state.gz")
    assert (ours.doc_topic_prior_, ours.topic_word_prior_) == (0.3, 0.05)
    columns = [WORDS.index(word) for word in ours.feature_names_in_]
    np.testing.assert_allclose((ours.components_ - 0.05).sum(axis=0), X[:, columns].sum(axis=0))
    assert all(top <= ANIMALS or top <= MONEY for top in top_words(ours))


def test_from_mallet_state_infers_what_mallet_sampled():
    ours = io.from_mallet_state(FILES / "mallet_state.gz")
    columns = [WORDS.index(word) for word in ours.feature_names_in_]
    theta = ours.transform(X[:, columns])
    np.testing.assert_allclose(theta, np.loadtxt(FILES / "mallet_theta.txt"), atol=0.05)


def test_a_mallet_state_may_be_plain_text_with_sources_that_have_spaces(tmp_path):
    path = tmp_path / "state"
    path.write_text(
        "#doc source pos typeindex type topic\n#alpha : 0.5 0.1 \n#beta : 0.01\n0 a b.txt 0 0 é 1\n0 a b.txt 1 2 y 0\n"
    )
    ours = io.from_mallet_state(path)
    np.testing.assert_allclose(ours.components_, [[0.01, 0.01, 1.01], [1.01, 0.01, 0.01]])
    assert ours.feature_names_in_.tolist() == ["é", "x1", "y"]
    np.testing.assert_array_equal(ours.doc_topic_prior_, [0.5, 0.1])


@pytest.mark.parametrize(
    "text",
    ["", "#alpha : 0.1\n#beta : 0.1\n", "#alpha : 0.1\n#beta : 0.1\n0 NA 0 0 a 1\n", "nonsense\n", "0 NA 0 0 a 0\n"],
)
def test_a_file_that_is_not_a_mallet_state_is_refused(text, tmp_path):
    path = tmp_path / "state"
    path.write_text(text)
    with pytest.raises(ValueError, match="MALLET"):
        io.from_mallet_state(path)


def test_a_truncated_mallet_state_is_refused(tmp_path):
    path = tmp_path / "state.gz"
    path.write_bytes((FILES / "mallet_state.gz").read_bytes()[:-50])
    with pytest.raises(ValueError, match="MALLET"):
        io.from_mallet_state(path)


# Vowpal Wabbit


def test_from_vw_infers_what_vowpal_wabbit_inferred():
    ours = io.from_vw(FILES / "vw.txt", feature_names=WORDS).set_params(**EXACT)
    np.testing.assert_allclose(ours.transform(X, normalize=False), np.loadtxt(FILES / "vw_gamma.txt"), atol=5e-3)
    assert ours.doc_topic_prior_ == pytest.approx(0.1)
    assert ours.topic_word_prior_ == pytest.approx(0.05)
    assert all(top <= ANIMALS or top <= MONEY for top in top_words(ours))


def test_from_vw_reads_the_requested_rows():
    whole = io.from_vw(FILES / "vw.txt")
    assert whole.components_.shape == (2, 16)
    np.testing.assert_array_equal(
        io.from_vw(FILES / "vw.txt", indices=[7, 2]).components_, whole.components_[:, [7, 2]]
    )


VW_COMMAND = """
    import sys
    from vowpalwabbit import Workspace
    Workspace(sys.argv[1]).finish()
    print("null")
"""


@pytest.mark.interop
def test_vowpal_wabbit_infers_from_and_preserves_the_file_of_to_vw(tmp_path):
    pytest.importorskip("vowpalwabbit")
    ours = fitted(topic_word_prior=0.05)
    io.to_vw(ours, tmp_path / "model")
    lines = ["| " + " ".join(f"{word}:{count}" for word, count in enumerate(row) if count) for row in X]
    (tmp_path / "docs").write_text("\n".join(lines) + "\n")
    names = {name: tmp_path / name for name in ("model", "docs", "gamma", "read")}
    run(VW_COMMAND, "--quiet -t -i {model} --readable_model {read}".format(**names))
    run(VW_COMMAND, "--quiet -t -i {model} -d {docs} -p {gamma} --lda_epsilon 0.000001 --minibatch 24".format(**names))
    np.testing.assert_allclose(np.loadtxt(names["gamma"]), ours.transform(X, normalize=False), atol=2e-3)
    back = io.from_vw(names["read"], feature_names=WORDS)
    np.testing.assert_allclose(back.components_, ours.components_, rtol=1e-5, atol=1e-5)
    assert (back.doc_topic_prior_, back.topic_word_prior_) == (pytest.approx(0.1), pytest.approx(0.05))


@pytest.mark.interop
def test_to_vw_refuses_point_estimates(tmp_path):
    pytest.importorskip("vowpalwabbit")
    with pytest.raises(ValueError, match="point estimates"):
        io.to_vw(fitted(topic_word_prior=0), tmp_path / "model")


@pytest.mark.parametrize(
    "text", ["", "Version 9\nChecksum: 1\n0 1 2\n", "options: --lda 2\nChecksum: 1\n0 1\n", "Checksum: 1\n"]
)
def test_a_file_that_is_not_a_readable_model_is_refused(text, tmp_path):
    path = tmp_path / "vw.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match="readable model"):
        io.from_vw(path)


def test_from_vw_names_the_missing_row():
    with pytest.raises(ValueError, match="99"):
        io.from_vw(FILES / "vw.txt", indices=[99])


VW = """
    import json, os, sys
    import numpy as np
    import vowpalwabbit

    os.chdir(sys.argv[1])
    with open("docs.txt", "w") as file:
        for document in json.loads(sys.argv[2]):
            file.write("| " + " ".join(f"{word}:{count}" for word, count in enumerate(document) if count) + "\\n")
    learn = "-d docs.txt --lda 2 --lda_D 24 --lda_alpha 0.1 --lda_rho 0.05 -b 4 --minibatch 2 --power_t 0.5"
    files = "--initial_t 1 --readable_model vw.txt -f model --cache_file cache -k --passes 20 --noconstant --quiet"
    vowpalwabbit.Workspace(f"{learn} {files}").finish()
    infer = "-d docs.txt -t -i model -p gamma.txt --minibatch 24 --lda_epsilon 0.000001 --quiet"
    vowpalwabbit.Workspace(infer).finish()
    print(json.dumps(np.loadtxt("gamma.txt")[:24].tolist()))
"""


@pytest.mark.interop
def test_from_vw_infers_what_the_installed_vowpal_wabbit_infers(tmp_path):
    pytest.importorskip("vowpalwabbit")
    gamma = run(VW, tmp_path, json.dumps(X.tolist()))
    ours = io.from_vw(tmp_path / "vw.txt", feature_names=WORDS).set_params(**EXACT)
    np.testing.assert_allclose(ours.transform(X, normalize=False), gamma, atol=5e-3)


# pyLDAvis


def test_to_pyldavis_returns_distributions_and_totals():
    arguments = io.to_pyldavis(fitted("float32"), X, WORDS)
    np.testing.assert_allclose(arguments["topic_term_dists"].sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(arguments["doc_topic_dists"].sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(arguments["doc_lengths"], X.sum(axis=1))
    np.testing.assert_array_equal(arguments["term_frequency"], X.sum(axis=0))
    assert arguments["vocab"] == WORDS


def test_to_pyldavis_omits_empty_documents_and_unused_words():
    documents = np.vstack([X, np.zeros((1, 8), int)])
    documents[:, 2] = 0
    arguments = io.to_pyldavis(fitted(), sparse.csr_array(documents), WORDS)
    assert arguments["vocab"] == [word for word in WORDS if word != "pet"]
    assert arguments["doc_topic_dists"].shape == (24, 2)
    np.testing.assert_allclose(arguments["topic_term_dists"].sum(axis=1), 1, rtol=1e-12)


PYLDAVIS = """
    import json, sys
    import numpy as np
    import pyLDAvis, pyLDAvis.lda_model
    from sklearn.feature_extraction.text import CountVectorizer
    from ldavi import LatentDirichletAllocation, io

    X, words = np.array(json.loads(sys.argv[1])), json.loads(sys.argv[2])
    vectorizer = CountVectorizer()
    counts = vectorizer.fit_transform(" ".join(np.repeat(words, document)) for document in X)
    lda = LatentDirichletAllocation(3, random_state=0, max_iter=20, tol=None).fit(counts)
    names = vectorizer.get_feature_names_out()
    ours = pyLDAvis.prepare(**io.to_pyldavis(lda, counts, names), n_jobs=1, R=5)
    theirs = pyLDAvis.lda_model.prepare(lda, counts, vectorizer, n_jobs=1, R=5)
    tables = [[getattr(drawn, name).select_dtypes("number") for drawn in (ours, theirs)]
              for name in ("topic_coordinates", "topic_info")]
    alike = [np.allclose(*pair, rtol=1e-4) for pair in tables]
    print(json.dumps([len(pyLDAvis.prepared_data_to_html(ours)), all(alike), ours.topic_order]))
"""


@pytest.mark.interop
def test_pyldavis_agrees_for_the_estimator_and_to_pyldavis():
    pytest.importorskip("pyLDAvis")
    size, alike, order = run(PYLDAVIS, json.dumps(X.tolist()), json.dumps(WORDS))
    assert size > 1000
    assert alike
    assert sorted(order) == [1, 2, 3]
