"""Checkpoints whose content no fit has saved: each is refused before any of it is used."""

import copy

import numpy as np
import pytest
from test_checkpoint import CheckpointInMemory, corpus, in_batches, model

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

KINDS = {
    "batch VB": {"learning_method": "batch", "max_iter": 3},
    "memoized VB": {"learning_method": "memoized", "max_iter": 3},
    "online VB": {"max_iter": 2},
    "exact bound": {"max_iter": 2},
    "CVB0": {"learning_method": "batch", "inference": "cvb0", "max_iter": 3},
}


def saved_by(kind, X):
    checkpoint = CheckpointInMemory()
    model(**KINDS[kind]).fit(X, checkpoint=checkpoint)
    return next(state for state in reversed(checkpoint.saved) if state["phase"] == kind)


def leaves(value, path=()):
    """Yield the path of each array and plain value."""
    if isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from leaves(item, (*path, key))
    else:
        yield path, value


def with_leaf(saved, path, value):
    changed = copy.deepcopy(saved)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


def wrong_values(value):
    """Return values that this leaf cannot have."""
    if not isinstance(value, np.ndarray):
        return ["x", *([-5, 2**63] if type(value) is int else [])]
    changed = [value[:-1], np.concatenate([value, value[:1]]), value.astype(np.complex64), value[None], None]
    if value.dtype.kind == "f" and value.size:
        for bad in (np.nan, np.inf):
            changed.append(value.copy())
            changed[-1].flat[0] = bad
    return changed


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_with_a_wrong_array_or_number_is_refused(kind):
    X = corpus()
    saved = saved_by(kind, X)
    n_tried = 0
    for path, value in leaves(saved["state"], ("state",)):
        for wrong in wrong_values(value):
            if wrong is None and path[-1] in ("excess", "mean_log_theta"):
                continue  # the first is computed again where it is missing; the second is missing at first
            n_tried += 1
            with pytest.raises(ValueError, match="checkpoint="):
                model(**KINDS[kind]).fit(X, checkpoint=CheckpointInMemory(with_leaf(saved, path, wrong)))
    assert n_tried > 20


@pytest.mark.parametrize(
    ("name", "value"), [("topic", 65535), ("topic", 5), ("share", 7), ("share", 0), ("N", 10**6), ("totals", 10.0**9)]
)
def test_assignments_that_do_not_fit_the_counts_are_refused(name, value):
    X = corpus()
    saved = saved_by("CVB0", X)
    array = saved["state"][name]
    (array[0] if isinstance(array, list) else array)[0, ...] = value
    with pytest.raises(ValueError, match="checkpoint="):
        model(**KINDS["CVB0"]).fit(X, checkpoint=CheckpointInMemory(saved))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("phase",), "no phase"),
        (("restart",), 7),
        (("restart",), -1),
        (("records",), [[1, "monotone"]]),
        (("records", 0, 1), "no label"),
        (("records", 0, 0), 10**9),
        (("records", 0, 2), None),
        (("converged",), 1),
        (("fit",), 3),
        (("state",), None),
    ],
)
def test_a_checkpoint_whose_description_is_wrong_is_refused(path, value):
    X = corpus()
    saved = with_leaf(saved_by("batch VB", X), path, value)
    with pytest.raises(ValueError, match="checkpoint="):
        model(**KINDS["batch VB"]).fit(X, checkpoint=CheckpointInMemory(saved))


@pytest.mark.parametrize("kind", ["batch VB", "memoized VB"])
def test_parts_that_are_not_those_of_the_batches_are_refused(kind):
    batches = in_batches(corpus())
    saved = saved_by(kind, batches)
    saved["state"]["gamma"].reverse()
    with pytest.raises(ValueError, match="gamma of a part of the documents has shape"):
        model(**KINDS[kind]).fit(batches, checkpoint=CheckpointInMemory(saved))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "online VB"])  # which may be in its first pass
def test_a_state_without_the_records_of_its_passes_is_refused(kind):
    X = corpus()
    saved = saved_by(kind, X)
    with pytest.raises(ValueError, match="checkpoint="):
        model(**KINDS[kind]).fit(X, checkpoint=CheckpointInMemory(with_leaf(saved, ("records",), [])))


def test_a_finished_restart_without_records_is_refused():
    X, parameters = corpus(), {"learning_method": "batch", "max_iter": 3, "n_init": 2}
    checkpoint = CheckpointInMemory()
    model(**parameters).fit(X, checkpoint=checkpoint)
    saved = with_leaf(checkpoint.saved[-1], ("finished", "records"), [])
    with pytest.raises(ValueError, match="has no records"):
        model(**parameters).fit(X, checkpoint=CheckpointInMemory(saved))
