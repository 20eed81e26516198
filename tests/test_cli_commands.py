"""Commands on a model file: topics, transform, evaluate, report, sweep, convert, info."""

import csv
import io as streams
import json
import sys
import types

import cli_texts
import numpy as np
import pytest
from scipy import sparse

from ldavi import LatentDirichletAllocation, inspection, io, metrics
from ldavi.cli import _report_command, main


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    return cli_texts.fit(tmp_path_factory.mktemp("fitted"))


@pytest.fixture
def counts(fitted):
    X, _ = io.count_words(fitted[1].read_text().splitlines(), vocabulary=io.read_info(fitted[0]).vocabulary)
    return X


def run_csv(capsys, *arguments):
    capsys.readouterr()
    assert main([*map(str, arguments)]) == 0
    return list(csv.DictReader(streams.StringIO(capsys.readouterr().out)))


# topics


@pytest.mark.parametrize("by", ["relevance", "probability", "frex", "lift"])
def test_words_are_those_of_inspection(fitted, capsys, by):
    model, words = io.load(fitted[0]), io.read_info(fitted[0]).vocabulary
    expected = inspection.top_words_lists(model, 4, by=by, feature_names=words)
    topics = cli_texts.run_json(capsys, "topics", fitted[0], "-n", 4, "--by", by)
    assert {topic["topic"]: [word["word"] for word in topic["words"]] for topic in topics} == dict(enumerate(expected))


def test_the_share_of_a_topic_is_its_share_of_the_training_tokens():
    X = np.repeat([[9, 9, 0, 0, 0, 0], [0, 0, 9, 9, 0, 0], [0, 0, 0, 0, 9, 9]], [6, 3, 1], axis=0)
    model = LatentDirichletAllocation(3, topic_word_prior=2.0, random_state=0).fit(X)
    expected = np.asarray(inspection.topic_sizes(model, X)["share"])
    np.testing.assert_allclose(np.asarray(inspection.topic_sizes(model)["share"]), expected, atol=0.005)


def test_topics_as_csv_have_a_row_per_word(fitted, capsys):
    rows = run_csv(capsys, "topics", fitted[0], "-n", 5, "--csv")
    assert len(rows) == 15
    assert [row["rank"] for row in rows[:5]] == ["1", "2", "3", "4", "5"]
    assert rows[0].keys() == {"topic", "share", "rank", "word", "score", "probability"}


# transform


def test_transform_writes_the_proportions_of_each_document(fitted, counts, capsys):
    rows = run_csv(capsys, "transform", *fitted)
    theta = [[float(row[f"topic{k}"]) for k in range(3)] for row in rows]
    np.testing.assert_allclose(theta, io.load(fitted[0]).transform(counts), rtol=1e-5)
    assert [row["document"] for row in rows] == [str(i) for i in range(90)]


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "npz"])
def test_the_suffix_of_the_file_decides_the_format(fitted, counts, tmp_path, kind):
    output = tmp_path / f"theta.{kind}"
    assert main(["transform", *map(str, fitted), "-o", str(output), "-q"]) == 0
    if kind == "npz":
        found = np.load(output)["theta"]
    elif kind == "jsonl":
        found = [json.loads(line)["topics"] for line in output.read_text().splitlines()]
    else:
        with output.open(newline="") as file:
            found = [
                [float(x) for x in row[1:]]
                for row in list(csv.reader(file, delimiter="\t" if kind == "tsv" else ","))[1:]
            ]
    np.testing.assert_allclose(found, io.load(fitted[0]).transform(counts), rtol=1e-5)


def test_transform_writes_the_names_of_documents(fitted, tmp_path, capsys):
    table = tmp_path / "new.jsonl"
    table.write_text("".join(json.dumps({"key": f"d{i}", "text": "cat dog"}) + "\n" for i in range(3)))
    rows = run_csv(capsys, "transform", fitted[0], table, "--id-column", "key")
    assert [row["document"] for row in rows] == ["d0", "d1", "d2"]


def test_new_texts_are_counted_as_in_the_fit(tmp_path, capsys):
    model, _ = cli_texts.fit(tmp_path, "--ngrams", "1,2", "--keep-case")
    words = io.read_info(model).vocabulary
    pair = next(word for word in words if " " in word)
    (tmp_path / "new.txt").write_text(f"{pair}\n{pair.upper()}\n")
    rows = run_csv(capsys, "transform", model, tmp_path / "new.txt")
    X = io.count_words([pair, ""], vocabulary=words, ngram_range=(1, 2), lowercase=False)[0]
    assert X[0].sum() == 3
    theta = [[float(row[f"topic{k}"]) for k in range(3)] for row in rows]
    np.testing.assert_allclose(theta, io.load(model).transform(X), rtol=1e-5)


def test_counts_with_another_vocabulary_are_matched_by_word(fitted, tmp_path, capsys):
    X = np.array([[5, 1, 0], [0, 0, 4]])
    sparse.save_npz(tmp_path / "new.npz", sparse.csr_matrix(X))
    (tmp_path / "new.vocab.txt").write_text("rocket\nunheard\ncat\n")
    rows = run_csv(capsys, "transform", fitted[0], tmp_path / "new.npz")
    words = io.read_info(fitted[0]).vocabulary
    expected = np.zeros((2, len(words)), int)
    expected[0, words.index("rocket")], expected[1, words.index("cat")] = 5, 4
    theta = [[float(row[f"topic{k}"]) for k in range(3)] for row in rows]
    np.testing.assert_allclose(theta, io.load(fitted[0]).transform(expected), rtol=1e-5)


def test_counts_of_another_width_without_words_are_an_error(fitted, tmp_path, capsys):
    sparse.save_npz(tmp_path / "new.npz", sparse.csr_matrix(np.eye(2, dtype=int)))
    assert main(["transform", str(fitted[0]), str(tmp_path / "new.npz")]) == 1
    assert "has 2 words and the model 30" in capsys.readouterr().err


# evaluate


def test_evaluate_prints_the_values_of_ldavi_metrics(fitted, counts, capsys):
    found = cli_texts.run_json(capsys, "evaluate", *fitted, "--windows", "documents", "-n", 5)
    model = io.load(fitted[0])
    completion = metrics.document_completion(model, counts, doc_topic_prior=None)
    assert found["perplexity"]["value"] == completion.perplexity
    assert found["perplexity"]["standard_error"] == pytest.approx(completion.perplexity * completion.standard_error)
    assert found["bound perplexity"]["value"] == pytest.approx(model.perplexity(counts))
    assert found["diversity"]["value"] == metrics.topic_diversity(model)
    for name in ("c_v", "npmi", "u_mass"):
        assert found[name]["topics"] == metrics.coherence(model, counts, name, 5).tolist()
        assert found[name]["value"] == np.mean(found[name]["topics"])


def test_texts_are_evaluated_in_sliding_windows(fitted, capsys):
    found = cli_texts.run_json(capsys, "evaluate", *fitted, "--coherence", "npmi")
    model, words = io.load(fitted[0]), io.read_info(fitted[0]).vocabulary
    tokens = [line.split() for line in fitted[1].read_text().splitlines()]
    assert found["npmi"]["topics"] == metrics.coherence(model, tokens, "npmi", feature_names=words).tolist()
    assert "sliding" in found["npmi"]["note"]


def test_evaluate_as_a_table_and_as_csv(fitted, capsys):
    rows = run_csv(capsys, "evaluate", *fitted, "--csv")
    assert [row["measure"] for row in rows] == ["perplexity", "bound perplexity", "c_v", "npmi", "u_mass", "diversity"]
    assert main(["evaluate", *map(str, fitted), "-q"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["measure", "value"]
    assert len(lines) == 7


def test_an_unknown_measure_exits_with_2(fitted, capsys):
    assert main(["evaluate", *map(str, fitted), "--coherence", "wit"]) == 2
    assert "--coherence wit must be one of c_v, npmi, u_mass, uci" in capsys.readouterr().err


# report and sweep, with stubs of the modules that they load


def test_report_is_written_about_documents_in_the_columns_of_the_model(fitted, counts, tmp_path, monkeypatch):
    written = {}
    module = types.ModuleType("ldavi.report")
    module.write = lambda path, model, X, **more: written.update(path=path, X=X, **more)
    monkeypatch.setitem(sys.modules, "ldavi.report", module)
    monkeypatch.setattr(_report_command, "NEEDED", ())
    page = str(tmp_path / "r.html")
    assert main(["report", *map(str, fitted), "-o", page, "--title", "T", "-q"]) == 0
    assert written["path"] == page
    assert (written["X"] != counts).nnz == 0
    assert written["texts"] == fitted[1].read_text().splitlines()
    assert list(written["feature_names"]) == io.read_info(fitted[0]).vocabulary
    assert written["title"] == "T"


def test_a_library_that_a_report_lacks_is_named_before_the_fit(fitted, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(_report_command, "NEEDED", ("no_such_library",))
    model = tmp_path / "m.ldavi"
    assert main(["fit", str(fitted[1]), "-o", str(model), "--report", str(tmp_path / "r.html")]) == 1
    assert "pip install 'ldavi[report]'" in capsys.readouterr().err
    assert not model.exists()


@pytest.fixture
def sweeps(monkeypatch):
    asked = []

    class Sweep:
        table = np.array([(2, 12.5), (3, 11.25)], dtype=[("n_components", int), ("perplexity", float)])

        def recommend(self):
            return types.SimpleNamespace(n_components=3, reason="Lower.")

    def sweep(X, n_components, **more):
        asked.append({"X": X, "n_components": n_components, **more})
        more["progress"](1, 2, types.SimpleNamespace(n_components=2))
        return Sweep()

    module = types.ModuleType("ldavi.selection")
    module.sweep = sweep
    monkeypatch.setitem(sys.modules, "ldavi.selection", module)
    return asked


def test_sweep_passes_its_options_and_prints_the_recommendation(fitted, counts, sweeps, capsys):
    arguments = [str(fitted[1]), "-k", "2,3", "--starts", "4", "--alpha", "0.3", "--seed", "7", "--keep", "kept", "-q"]
    assert main(["sweep", *arguments]) == 0
    (asked,) = sweeps
    assert (asked["X"] != counts).nnz == 0
    assert (asked["n_components"], asked["n_init"], asked["path"]) == ([2, 3], 4, "kept")
    assert (asked["estimator"].doc_topic_prior, asked["random_state"]) == (0.3, 7)
    *lines, number, reason = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [["topics", "perplexity"], ["2", "12.5"], ["3", "11.25"], []]
    assert (number, reason) == ("recommended: 3 topics", "Lower.")


def test_sweep_prints_json_and_csv(fitted, sweeps, capsys):
    assert cli_texts.run_json(capsys, "sweep", fitted[1], "-k", "2,3")["recommended"] == 3
    assert run_csv(capsys, "sweep", fitted[1], "-k", "2,3", "--csv")[1]["perplexity"] == "11.25"


# convert and info


def test_converted_counts_and_words_are_read_back(fitted, counts, tmp_path):
    for name in ("c.npz", "c.mtx"):
        assert main(["convert", str(fitted[1]), str(tmp_path / name), "-q"]) == 0
        corpus = io.read_corpus(tmp_path / name)
        assert (counts != corpus.X).nnz == 0
        assert corpus.vocabulary.tolist() == io.read_info(fitted[0]).vocabulary


def test_a_model_is_converted_to_topics(fitted, tmp_path):
    assert main(["convert", str(fitted[0]), str(tmp_path / "t.csv"), "-q"]) == 0
    with (tmp_path / "t.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header[1:] == io.read_info(fitted[0]).vocabulary
    topics = io.load(fitted[0]).topics_
    np.testing.assert_allclose([[float(p) for p in row[1:]] for row in rows], topics, rtol=1e-5)
    assert main(["convert", str(fitted[0]), str(tmp_path / "t.npz"), "--to", "topics-npz", "-q"]) == 0
    np.testing.assert_array_equal(np.load(tmp_path / "t.npz")["topics"], topics)


def test_a_model_is_converted_to_lda_c_and_back(fitted, tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("\n".join(io.read_info(fitted[0]).vocabulary))
    assert main(["convert", str(fitted[0]), str(tmp_path / "final"), "--to", "lda-c", "-q"]) == 0
    back = tmp_path / "back.ldavi"
    arguments = [str(tmp_path / "final"), str(back), "--from", "lda-c", "--vocabulary", str(words), "-q"]
    assert main(["convert", *arguments]) == 0
    np.testing.assert_allclose(io.load(back).topics_, io.load(fitted[0]).topics_, rtol=1e-4, atol=1e-8)
    assert io.read_info(back).vocabulary == io.read_info(fitted[0]).vocabulary


def test_an_unknown_format_exits_with_2(fitted, tmp_path, capsys):
    assert main(["convert", str(fitted[0]), str(tmp_path / "x.bin")]) == 2
    assert main(["convert", str(fitted[0]), str(tmp_path / "x.npz"), "--from", "ldavi"]) == 2


def test_info_describes_a_model_file(fitted, capsys):
    facts = cli_texts.run_json(capsys, "info", fitted[0])
    assert (facts["topics"], facts["words"], facts["documents"], facts["tokens"]) == (3, 30, 90, 2700)
    assert facts["input"] == str(fitted[1])
    assert facts["ELBO"] == io.load(fitted[0]).elbo_


def test_a_model_saved_without_words_has_numbered_words(tmp_path, capsys, counts):
    io.save(LatentDirichletAllocation(2, random_state=0).fit(counts), tmp_path / "bare.ldavi")
    topics = cli_texts.run_json(capsys, "topics", tmp_path / "bare.ldavi", "-n", 1)
    assert topics[0]["words"][0]["word"].startswith("x")
    assert cli_texts.run_json(capsys, "info", tmp_path / "bare.ldavi")["vocabulary"] == "none"
