"""Tests that the page on scaling contains the tables of benchmarks.scale_model, and that its model is consistent."""

from dataclasses import fields, replace

import numpy as np
import pytest

scale_model = pytest.importorskip("benchmarks.scale_model", reason="needs the benchmarks of a checkout")

from benchmarks import scale_costs  # noqa: E402
from benchmarks.scale_costs import DESIGNS, Assumptions, Machine, cost  # noqa: E402

SMALL = replace(Assumptions(), documents=1e6, words=1e4, topics=100, workers=4)
RATES = {f.name for f in fields(Machine) if f.metadata["source"].startswith("measured")}


def test_the_tables_of_the_page_are_those_of_the_script():
    page = scale_model.PAGE.read_text(encoding="utf-8")
    tables = scale_model.tables(Assumptions(), Machine())
    assert scale_model.with_tables(page, tables) == page
    for name, text in tables.items():
        assert f"<!-- table: {name} -->\n\n{text}\n\n<!-- end -->" in page


def test_measured_rates_equal_the_recorded_measurement():
    recorded = scale_model.load_recorded()
    network = recorded["network"]["between_workers"]
    measured = recorded["rates"] | {"link": network["bytes_per_second"], "latency": network["latency"]}
    assert measured.keys() >= RATES
    for name in RATES:
        assert getattr(Machine(), name) == pytest.approx(measured[name], rel=0.05), name


@pytest.mark.parametrize("group", [Assumptions, Machine])
def test_every_assumption_has_a_unit_and_a_source(group):
    for f in fields(group):
        assert f.metadata["unit"]
        assert f.metadata["source"]


def test_distinct_words_equal_the_mean_of_drawn_documents():
    a = replace(SMALL, words=2000, doc_words=50)
    rng = np.random.default_rng(0)
    drawn = [len(np.unique(rng.choice(2000, 50 * 40, p=scale_costs.frequencies(2000)))) for _ in range(20)]
    assert scale_costs.distinct_words(a, 40) == pytest.approx(np.mean(drawn), rel=0.02)


def test_an_e_step_takes_at_least_the_time_of_its_multiply_adds_and_of_its_bytes():
    a, m = Assumptions(), Machine()
    parts = scale_costs.dense_e_step_seconds(a, m)
    assert parts["inner iterations"] >= a.inner_iter * a.doc_words * a.topics * 2 / m.multiply_adds
    assert parts["first read of rows"] >= 4 * a.doc_words * a.topics / max(m.first_rows, m.bandwidth_from_memory)
    assert all(seconds > 0 for seconds in parts.values())


@pytest.mark.parametrize("name", ["documents", "topics", "words", "doc_words", "inner_iter"])
def test_a_larger_fit_never_takes_less_time_or_memory(name):
    for design in DESIGNS:
        less, more = (
            cost(replace(SMALL, **{name: factor * getattr(SMALL, name)}), Machine(), design) for factor in (1, 2)
        )
        assert more.seconds >= less.seconds
        assert sum(more.memory.values()) >= sum(less.memory.values())


def test_each_design_is_at_least_as_fast_as_the_previous_one():
    hours = [scale_costs.fit_seconds(Assumptions(), Machine(), design) for design in DESIGNS]
    assert hours == sorted(hours, reverse=True)


def test_with_shards_the_bytes_per_link_do_not_grow_with_the_number_of_workers():
    sharded = [cost(replace(SMALL, workers=n, documents=1e5 * n), Machine(), DESIGNS[2]).busiest for n in (4, 64)]
    central = [cost(replace(SMALL, workers=n, documents=1e5 * n), Machine(), DESIGNS[1]).busiest for n in (4, 64)]
    assert sharded[1] == pytest.approx(sharded[0])
    assert central[1] == pytest.approx(16 * central[0])


@pytest.mark.parametrize("design", DESIGNS[1:3], ids=lambda design: design.name)
def test_a_simulation_without_variance_takes_at_least_the_longest_part_and_at_most_the_sum(design):
    expected = cost(SMALL, Machine(), design)
    seconds = scale_costs.simulated_pass(SMALL, Machine(), design, spread=0.0)
    latency = 8 * Machine().latency  # of the messages of 8 pieces; `cost` counts other messages
    assert max(expected.compute, expected.network / 2) <= seconds <= expected.seconds + latency


def test_a_slow_shared_link_determines_the_time_of_the_simulation():
    slow = replace(Machine(), link=1e6)
    expected = cost(SMALL, slow, DESIGNS[1])
    assert scale_costs.simulated_pass(SMALL, slow, DESIGNS[1]) == pytest.approx(expected.network, rel=0.05)


def test_assumptions_are_options_of_the_command_line(capsys, monkeypatch):
    monkeypatch.setattr(
        "sys.argv", ["scale_model", "--documents", "2e6", "--topics", "50", "--link", "5e9", "--words", "1e4"]
    )
    scale_model.main()
    printed = capsys.readouterr().out
    assert "| documents | 2e+06 |" in printed
    assert "| topics | 50 |" in printed
    assert "| link | 5e+09 |" in printed
