"""Tests of the benchmarks' settings, result files and reports; nothing is timed."""

import importlib
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"

pytestmark = pytest.mark.skipif(not BENCHMARKS.exists(), reason="needs the benchmarks of a checkout")


def load(name):
    """Import a module of the benchmarks from its file, since the package is not installed."""
    spec = importlib.util.spec_from_file_location(f"benchmarks_{Path(name).stem}", BENCHMARKS / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measured(date, **values):
    cases = [{"name": name, "what": "s", "value": value} for name, value in values.items()]
    run = {"date": date, "commit": date, "changed": False, "machine": {}}
    return run | {"part": {"title": "title", "cases": cases, "notes": []}}


@pytest.fixture
def results():
    return load("results.py")


def merged(results, *runs):
    collected = {"quick": False, "parts": {}}
    for part, run in runs:
        collected = results.merged(collected, part, run)
    return collected


def test_a_new_case_replaces_the_earlier_one_of_the_same_name(results):
    collected = merged(results, ("Q1", measured("monday", ap=1, bbc=2)), ("Q1", measured("tuesday", bbc=3)))
    assert {case["name"]: case["value"] for case in collected["parts"]["Q1"]["cases"]} == {"ap": 1, "bbc": 3}


def test_cases_of_earlier_runs_contain_the_date_of_their_run(results):
    runs = [("Q1", measured("monday", ap=1)), ("Q2", measured("tuesday", ap=1)), ("Q1", measured("wednesday", bbc=3))]
    collected = merged(results, *runs)
    dates = {
        (part, case["name"]): case.get("measured", collected)["date"]
        for part in collected["parts"]
        for case in _cases(collected, part)
    }
    assert dates == {("Q1", "ap"): "monday", ("Q2", "ap"): "tuesday", ("Q1", "bbc"): "wednesday"}


def _cases(collected, part):
    return collected["parts"][part]["cases"]


def test_a_quick_run_is_not_written_into_a_file_of_measurements(results, tmp_path):
    path = tmp_path / "results.json"
    results.write(path, merged(results, ("Q1", measured("monday", ap=1))))
    with pytest.raises(SystemExit, match="measurements"):
        results.read(path, quick=True)


def test_a_report_names_every_run_that_its_cases_come_from(results):
    collected = merged(results, ("Q1", measured("monday", ap=1)), ("Q1", measured("tuesday", bbc=3)))
    for case in _cases(collected, "Q1"):
        case["range"] = [1, 1]
    collected["parts"]["Q1"]["load_average"] = 0
    text = load("report.py").markdown([json.loads(json.dumps(collected))])
    assert "monday, commit monday; tuesday, commit tuesday" in text


def test_a_report_says_which_perplexities_were_computed_again_and_which_cases_are_outdated(results):
    collected = merged(results, ("Q1", measured("monday", ap=1, bbc=2)))
    for case in _cases(collected, "Q1"):
        case["range"] = [1, 1]
    _cases(collected, "Q1")[0]["judged"] = {"date": "friday"}
    _cases(collected, "Q1")[1]["outdated"] = "former rule"
    collected["parts"]["Q1"]["load_average"] = 0
    text = load("report.py").markdown([json.loads(json.dumps(collected))])
    assert "monday, commit monday; perplexities of some fits computed again friday" in text
    assert "| bbc (former rule) |" in text


def test_perplexities_are_replaced_without_times(package, tmp_path):
    pytest.importorskip("numba")
    from benchmarks import rejudge

    path = tmp_path / "Q1.json"
    path.write_bytes((BENCHMARKS / "results" / "Q1.json").read_bytes())
    before = {case["name"]: case for case in json.loads(path.read_text())["parts"]["Q1"]["cases"]}
    rejudge.replace(path, "Q1", "ap", "tomotopy 1000", [1000.0, 1200.0, 1100.0])
    after = {case["name"]: case for case in json.loads(path.read_text())["parts"]["Q1"]["cases"]}
    assert list(after) == list(before)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"ap K=100", "ap K=100: tomotopy 1000"}
    assert after["ap K=100: tomotopy 1000"]["values"] == before["ap K=100: tomotopy 1000"]["values"]
    assert after["ap K=100"]["perplexity"]["tomotopy 1000"] == 1100
    assert not after["ap K=100"]["met"]


def test_the_tables_of_the_page_are_those_of_the_result_files():
    page = (BENCHMARKS.parent / "docs" / "development" / "benchmark_results.md").read_text(encoding="utf-8")
    results = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((BENCHMARKS / "results").glob("*.json"))]
    tables = load("report.py").markdown([result for result in results if "parts" in result]).split("\n\n### ")[1:]
    assert len(tables) > 20
    for table in tables:
        assert f"### {table}" in page, table[:60]


def test_the_summary_of_the_readme_and_of_the_page_is_that_of_the_result_files(package):
    from benchmarks import summary

    for path in summary.PAGES:
        page = path.read_text(encoding="utf-8")
        assert summary.with_table(page) == page, path.name


def test_the_cost_of_cvb0_in_the_pages_is_that_of_the_result_files(package):
    from benchmarks import summary

    fits = summary.measured()
    claim = re.compile(rf"{fits['ldavi cvb0'][0] / fits['ldavi vb'][0]:.0f} times the (time of the )?default fit")
    for name in ("README.md", "docs/benchmarks.md", "docs/guide/methods.md"):
        assert claim.search((BENCHMARKS.parent / name).read_text(encoding="utf-8")), (name, claim.pattern)


def test_a_corpus_has_its_own_settings_over_those_of_its_part():
    settings = load("settings.py")
    usual, large = (settings.load("Q1", quick=False, corpus=corpus) for corpus in ("ap", "imdb"))
    assert usual["peers"] != large["peers"]
    assert (large["corpus"], large["n_topics"], large["target"]) == ("imdb", 100, usual["target"])
    assert large["repeats"] < usual["repeats"]


def test_cases_of_fits_with_the_same_number_of_seeds_are_reusable(results):
    case = {"name": "here: other", "values": [3.0, 4.0]}
    assert results.reusable([case], "here", ["other", "third"], 2) == {"other": case}
    assert results.reusable([case], "elsewhere", ["other"], 2) == {}
    assert results.reusable([case], "here", ["third"], 2) == {}
    assert results.reusable([case], "here", ["other"], 3) == {}


def test_every_part_is_configured_with_corpora_and_fits_that_exist():
    settings, modules = load("settings.py"), load("parts/__init__.py").MODULES
    fits = tomllib.loads((BENCHMARKS / "config.toml").read_text(encoding="utf-8"))["fits"]
    for part, module in modules.items():
        assert (BENCHMARKS / "parts" / f"{module}.py").exists()
        for quick in (True, False):
            for corpus in settings.corpora_of(part, quick=quick):
                config = settings.load(part, quick=quick, corpus=corpus)
                ours = config.get("ours", [])
                named = [*config.get("peers", []), *([ours] if isinstance(ours, str) else ours)]
                named += [config["peer"]] if "peer" in config else []
                assert set(named) <= set(fits), (part, corpus)
                assert corpus is None or corpus in config["shapes"], part


def test_every_fit_has_an_adapter():
    fits = load("settings.py").load("Q1", quick=False)["fits"]
    assert all((BENCHMARKS / "adapters" / f"{fit['library']}.py").exists() for fit in fits.values())


@pytest.fixture
def package(monkeypatch):
    """Make the package `benchmarks` of the checkout importable."""
    monkeypatch.syspath_prepend(str(BENCHMARKS.parent))


def test_a_word_that_a_library_has_dropped_gets_its_smallest_probability_in_each_topic(package):
    from benchmarks.adapters import in_column_order

    rows = np.array([[0.7, 0.3], [0.1, 0.9]])
    topics = in_column_order(rows, ["2", "0"], 4)
    np.testing.assert_array_equal(topics, [[0.3, 0.3, 0.7, 0.3], [0.9, 0.1, 0.1, 0.1]])
    given = in_column_order(rows, ["2", "0"], 4, unseen=np.array([0.01, 0.02]))
    np.testing.assert_array_equal(given, [[0.3, 0.01, 0.7, 0.01], [0.9, 0.02, 0.1, 0.02]])


SMOOTHED = {  # adapter: (settings of a short fit, the prior of the words)
    "sklearn_": ({"max_iter": 3, "topic_word_prior": 0.2}, 0.2),
    "gensim_": ({"passes": 2, "eta": 0.2}, 0.2),
    "lda_": ({"n_iter": 20, "eta": 0.2}, 0.2),
    "tomotopy_": ({"iterations": 20, "alpha": 0.1, "eta": 0.2}, 0.2),
    "topica_": ({"iterations": 20, "alpha": 0.1, "beta": 0.2, "optimize_interval": 0}, 0.2),
}


@pytest.mark.interop
@pytest.mark.parametrize("adapter", SMOOTHED)
def test_a_word_that_no_training_document_contains_has_the_probability_of_the_prior(adapter, package):
    """η / (n_k + V η): over the topics, the smallest sum of η + n is known from the probability of an unseen word."""
    pytest.importorskip(adapter.strip("_"))
    from benchmarks import adapters

    rng = np.random.default_rng(0)
    X = rng.multinomial(40, rng.dirichlet(np.full(30, 0.1), 60)).astype(np.int32)
    X[:, [3, 17]] = 0
    settings, eta = SMOOTHED[adapter]
    module = adapters.load(adapter)
    topics = module.topics(module.train(module.prepare(sparse.csr_array(X)), 4, 0, **settings), X.shape[1])
    topics = topics / topics.sum(axis=1, keepdims=True)
    tokens = eta / topics[:, 3] - X.shape[1] * eta  # n_k
    assert tokens.sum() == pytest.approx(X.sum(), rel=0.01)
    np.testing.assert_allclose(topics[:, 17], topics[:, 3], rtol=1e-6)


def test_fits_of_increasing_lengths_equal_separate_fits():
    adapter = load("adapters/ldavi_.py")
    X = sparse.csr_array(np.random.default_rng(0).poisson(0.3, (30, 20)))
    for length, model in adapter.train_lengths(X, 3, 0, [1, 4, 5, 9], inference="cvb0"):
        alone = adapter.train_passes(X, 3, 0, length, inference="cvb0")
        assert model.n_iter_ == length
        np.testing.assert_array_equal(model.components_, alone.components_)


@pytest.fixture
def built():
    """Skip if the package of the checkout is not compiled."""
    if not any((BENCHMARKS.parent / "ldavi").glob("_estep.*.[sp][oy]*")):
        pytest.skip("needs a compiled package in the checkout")


def test_a_work_tree_equals_itself_bit_by_bit(built):
    tree = str(BENCHMARKS.parent)
    command = [
        sys.executable,
        "-m",
        "benchmarks.same_bits",
        tree,
        tree,
        "--only",
        "resumed by B: vb batch, priors float",
    ]
    done = subprocess.run(command, cwd=tree, stdout=subprocess.PIPE, text=True)
    assert done.stdout.splitlines() == [
        "equal    checkpoint written by A, resumed by B: vb batch, priors float",
        "1 cases, 0 differ",
    ]
    assert done.returncode == 0


@pytest.fixture
def same_bits():
    sys.path.insert(0, str(BENCHMARKS.parent))
    try:
        yield importlib.import_module("benchmarks.same_bits")
    finally:
        sys.path.remove(str(BENCHMARKS.parent))


def test_a_field_that_differs_is_named(same_bits, capsys):
    assert not same_bits.print_case("case", {"elbo_": "1", "gamma": "2"}, {"elbo_": "1", "gamma": "3"})
    assert capsys.readouterr().out == "DIFFERS  case: gamma\n"


def test_the_same_exception_is_equal_and_another_is_not(same_bits):
    a = {"raises": "ValueError", "message": "K"}
    assert same_bits.print_case("case", a, {"raises": "ValueError", "message": "another wording"})
    assert not same_bits.print_case("case", a, {"raises": "TypeError", "message": "K"})
    assert not same_bits.print_case("case", a, {"elbo_": "1"})


def test_a_fit_that_resumes_to_other_bits_differs_even_in_equal_trees(same_bits):
    fields = {same_bits.RESUMES: "gamma"}
    assert not same_bits.print_case("case", fields, fields)


def test_figures_of_the_package_are_positive(built):
    structure = load("../tools/structure.py")
    figures = structure.figures_of_sources(BENCHMARKS.parent / "ldavi")
    assert 0 < figures["parameters annotated Any"] < figures["parameters"]
    assert 0 < figures["lines of code"] < figures["lines"]


def test_docstrings_comments_and_blank_lines_are_not_code(tmp_path):
    path = tmp_path / "module.py"
    path.write_text('"""Text.\n\nMore."""\n\nX = (\n    1,\n)  # why\n# alone\ndef f():\n    "Text."\n    return X\n')
    assert load("../tools/structure.py").code_lines(path) == 5


def test_the_planted_tokens_of_the_recovery_benchmark_are_its_documents():
    recovery = importlib.import_module("benchmarks.recovery")
    planted = recovery.plant(recovery.Setting(4, 30, 20, 50, 0.1), seed=0)
    assert planted.counts.sum(axis=1).tolist() == [50] * 20
    dense = np.zeros((20, 30), int)
    np.add.at(dense, (planted.tokens[:, 0], planted.tokens[:, 1]), planted.tokens[:, 3])
    np.testing.assert_array_equal(planted.counts.toarray(), dense)


def test_the_planted_topics_agree_with_the_tokens_and_shuffled_ones_do_not():
    recovery = importlib.import_module("benchmarks.recovery")
    planted = recovery.plant(recovery.Setting(4, 60, 50, 80, 0.05), seed=0)
    shuffled = np.random.default_rng(0).permuted(planted.topics, axis=1)
    assert recovery.token_agreement(planted, planted.topics) > 0.8
    assert recovery.token_agreement(planted, planted.topics[::-1]) > 0.8
    assert recovery.token_agreement(planted, shuffled) < 0.6


def test_reruns_of_the_recovery_benchmark_agree_with_each_other_more_than_with_the_truth():
    recovery = importlib.import_module("benchmarks.recovery")
    setting = recovery.Setting(3, 60, 80, 20, 0.1)
    between, to_truth, _, _ = map(float, recovery.measure_reruns("ldavi_", setting, 1, 3, {}).split(" | "))
    assert 1 > between > to_truth > 0.5
