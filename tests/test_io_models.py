"""Model files: `save` and `load` preserve every bit, run no code, and are safe against crashes.

Run as a script, this file writes the model file of the current format version, which later versions must load.
"""

import contextlib
import copy
import json
import os
import pickle
import stat
import struct
import subprocess
import sys
import textwrap
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from memory import peak_memory

from ldavi import LatentDirichletAllocation, _estep, io
from ldavi.io._models import container, model_file
from ldavi.io._models.encoding import Decoder

FILES = Path(__file__).parent / "model_files"
ROOT = Path(__file__).resolve().parent.parent
X = np.random.default_rng(0).poisson(1.0, (20, 12))
X_MORE = np.random.default_rng(1).poisson(1.0, (6, 12))


def fitted(method="batch", dtype=None, **parameters):
    """Return a model of X without convergence warnings; "partial" uses `partial_fit` only."""
    learning_method = "batch" if method == "partial" else method
    settings = {"max_iter": 3, "tol": None, "random_state": 0, "batch_size": 7, "dtype": dtype, **parameters}
    model = LatentDirichletAllocation(3, learning_method=learning_method, **settings)
    return model.partial_fit(X) if method == "partial" else model.fit(X)


def same(a, b):
    """Return whether two values have the same bits; objects are compared by their attributes."""
    if isinstance(a, np.ndarray):
        if not isinstance(b, np.ndarray) or a.dtype != b.dtype or a.shape != b.shape:
            return False
        # Bytes are compared, since a trace contains NaN for terms that were not computed.
        return np.array_equal(a, b) if a.dtype == object else a.tobytes() == b.tobytes()
    if hasattr(a, "get_state"):
        return all(same(x, y) for x, y in zip(a.get_state(), b.get_state(), strict=True))
    if hasattr(a, "__dataclass_fields__"):
        return all(same(getattr(a, name), getattr(b, name)) for name in a.__dataclass_fields__)
    if type(a).__module__.startswith("ldavi"):
        return type(a) is type(b) and same(vars(a), vars(b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or (a != a and b != b))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.ldavi"


def write_raw(path, header, data=b""):
    """Write a file with a header, given as an object or bytes, followed by `data`."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def rewrite(path, change):
    """Apply `change(description, strings, arrays)` to the content of a file, and update its checksum."""
    with open(path, "rb") as file:
        header = container.read_header(file)
        arrays = container.read_arrays(file, header, mmap=False, verify=True)
    strings = {name: value for name, value in header.strings.items() if name != "checksum"}
    description = json.loads(strings["model"])
    change(description, strings, arrays)
    strings["model"] = json.dumps(description)
    container.write(path, arrays, strings)


# Round trips


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("method", ["batch", "online", "memoized", "partial"])
def test_a_loaded_model_has_the_same_bits(method, dtype, mmap, path):
    model = fitted(method, dtype.name)
    io.save(model, path)
    assert same(vars(io.load(path, mmap=mmap)), vars(model))


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("method", ["batch", "online", "memoized", "partial"])
def test_a_loaded_model_infers_and_learns_with_the_same_bits(method, dtype, mmap, path):
    model = fitted(method, dtype.name)
    io.save(model, path)
    loaded = io.load(path, mmap=mmap)
    assert same(loaded.transform(X_MORE), model.transform(X_MORE))
    assert loaded.perplexity(X_MORE) == model.perplexity(X_MORE)
    assert same(loaded.partial_fit(X_MORE).components_, model.partial_fit(X_MORE).components_)


def test_a_warm_start_continues_from_a_loaded_model(path):
    model = fitted(warm_start=True)
    io.save(model, path)
    assert same(io.load(path).fit(X_MORE).components_, model.fit(X_MORE).components_)


def test_saving_does_not_change_the_model(path):
    model = fitted("partial")
    before = copy.deepcopy(vars(model))
    io.save(model, path)
    assert model._lambda._decay < 1  # reading components_ would have applied the decay
    assert same(vars(model), before)


def test_a_loaded_model_is_saved_to_the_same_bytes(path, tmp_path):
    io.save(fitted("partial"), path)
    io.save(io.load(path, mmap=True), tmp_path / "again.ldavi")
    assert (tmp_path / "again.ldavi").read_bytes() == path.read_bytes()


def test_a_mapped_model_can_replace_its_own_file(path):
    model = fitted()
    io.save(model, path)
    loaded = io.load(path, mmap=True).partial_fit(X_MORE)
    io.save(loaded, path)
    assert same(io.load(path).components_, model.partial_fit(X_MORE).components_)


def test_mmap_maps_lambda_read_only(path):
    io.save(fitted(), path)
    rows = io.load(path, mmap=True)._lambda._rows
    base = rows
    while isinstance(base, np.ndarray):
        base = base.base
    assert type(base.obj if isinstance(base, memoryview) else base).__name__ == "mmap"
    assert not rows.flags.writeable


@pytest.mark.parametrize(
    "parameters",
    [
        {"doc_topic_prior": np.array([0.1, 0.2, 0.3]), "topic_word_prior": np.linspace(0.01, 0.1, 36).reshape(3, 12)},
        {"doc_topic_prior": None, "topic_word_prior": None},
        {"doc_topic_prior": [0.1, 0.2, 0.3], "topic_word_prior": 0},
        {"random_state": None, "total_samples": 1e6},
        {"random_state": np.random.RandomState(3), "learning_decay": np.float32(0.5)},
        {"dtype": np.float64},
        {"dtype": np.dtype("float32"), "batch_size": np.int64(5)},
    ],
)
def test_parameters_of_any_type_are_restored(parameters, path):
    model = fitted(**parameters)
    io.save(model, path)
    loaded = io.load(path)
    assert same(loaded.transform(X_MORE), model.transform(X_MORE))
    expected = model.get_params()
    expected["dtype"] = expected["dtype"] if isinstance(expected["dtype"], str | None) else np.dtype(expected["dtype"])
    assert same(loaded.get_params(), expected)


def test_column_names_and_the_output_container_are_restored(path):
    pandas = pytest.importorskip("pandas")
    names = ["é", "日本", 'a"b\\', "$array", "", *map(str, range(7))]
    frame = pandas.DataFrame(X, columns=names)
    model = LatentDirichletAllocation(3, max_iter=2, tol=None, random_state=0).fit(frame).set_output(transform="pandas")
    io.save(model, path)
    loaded = io.load(path)
    assert same(loaded.feature_names_in_, model.feature_names_in_)
    pandas.testing.assert_frame_equal(loaded.transform(frame), model.transform(frame))


def test_an_unfitted_estimator_is_restored_unfitted(path):
    io.save(LatentDirichletAllocation(7), path)
    assert same(vars(io.load(path)), vars(LatentDirichletAllocation(7)))


def test_attributes_of_a_later_version_are_left_out_with_a_warning(path):
    model = fitted()
    model.start_kind_, model.history_ = "kmeans", {"a": [1, (2.5, None)], "b": np.arange(3), "c": float("inf")}
    io.save(model, path)
    with pytest.warns(UserWarning, match="does not know: start_kind_, history_"):
        loaded = io.load(path)
    assert not hasattr(loaded, "history_")
    assert same(loaded.components_, model.components_)


def test_a_model_whose_number_of_topics_was_changed_is_not_saved(path):
    model = fitted()
    model.n_components += 1
    with pytest.raises(ValueError, match="was changed after the fit"):
        io.save(model, path)
    assert not path.exists()


def test_callbacks_are_omitted_with_a_warning(path):
    model = fitted(callbacks=print_nothing)
    with pytest.warns(UserWarning, match="callbacks"):
        io.save(model, path)
    assert io.load(path).callbacks is None
    assert model.callbacks is print_nothing


def test_metadata_requests_are_omitted_with_a_warning(path):
    with sklearn.config_context(enable_metadata_routing=True):
        model = fitted().set_fit_request(sample_weight=True)
    with pytest.warns(UserWarning, match="_metadata_request"):
        io.save(model, path)
    assert same(io.load(path).components_, model.components_)


def print_nothing(record):
    return None


@pytest.mark.parametrize(
    "value", [object(), print_nothing, {1.5: 2}, {True: 2}, np.array([object()]), 1j, np.array([1j]), b"bytes"]
)
def test_a_value_that_is_not_data_is_refused_by_name(value, path):
    model = fitted()
    model.extra_ = value
    with pytest.raises(TypeError, match="extra_"):
        io.save(model, path)
    assert not path.exists()


@pytest.mark.parametrize("seeds", [{0: ["w1", "w2"], np.int64(2): [3]}, {}], ids=["seeds", "none"])
def test_a_guided_model_is_saved_with_its_seed_words(seeds, path):
    X = pd.DataFrame(np.random.default_rng(0).poisson(1, (20, 6)), columns=[f"w{i}" for i in range(6)])
    model = LatentDirichletAllocation(3, seed_words=seeds, random_state=0, max_iter=3, tol=None).fit(X)
    io.save(model, path)
    again = io.load(path)
    assert again.seed_words == seeds
    np.testing.assert_array_equal(again.partial_fit(X).components_, model.partial_fit(X).components_)


def test_a_subclass_is_refused(path):
    class Mine(LatentDirichletAllocation):
        pass

    with pytest.raises(TypeError, match="Mine"):
        io.save(Mine(2), path)


@pytest.mark.parametrize("way", ["pickle", "joblib", "deepcopy", "cloudpickle"])
@pytest.mark.parametrize("mapped", [False, True])
def test_other_ways_to_copy_preserve_the_bits(way, mapped, path):
    model = fitted("partial")
    if mapped:
        io.save(model, path)
        model = io.load(path, mmap=True)
    if way == "joblib":
        joblib.dump(model, path.with_suffix(".joblib"))
        other = joblib.load(path.with_suffix(".joblib"), mmap_mode="r")
    elif way == "deepcopy":
        other = copy.deepcopy(model)
    else:
        library = pickle if way == "pickle" else pytest.importorskip("cloudpickle")
        other = pickle.loads(library.dumps(model))
    assert same(other.transform(X_MORE), model.transform(X_MORE))
    assert same(other.partial_fit(X_MORE).components_, model.partial_fit(X_MORE).components_)


# Description of a file


def test_info_contains_vocabulary_metadata_and_parameters(path):
    words = ["\ud800", "", "日本", *[f"word {w}" for w in range(9)]]
    metadata = {"corpus": "news", "sizes": [1, 2.5, None], "nested": {"ok": True}}
    io.save(fitted(), path, vocabulary=words, metadata=metadata)
    info = io.read_info(path)
    assert (info.format_version, info.vocabulary, info.metadata) == (model_file.FORMAT_VERSION, words, metadata)
    assert info.parameters["batch_size"] == 7
    assert info.arrays["lam.rows"] == ((12, 16), "float32")


def test_vocabulary_does_not_become_feature_names(path):
    io.save(fitted(), path, vocabulary=list("abcdefghijkl"))
    assert not hasattr(io.load(path), "feature_names_in_")


@pytest.mark.parametrize("vocabulary", [["a"], "abcdefghijkl", list("abcdefghijklm")])
def test_a_vocabulary_of_another_length_is_refused(vocabulary, path):
    with pytest.raises(ValueError, match="vocabulary"):
        io.save(fitted(), path, vocabulary=vocabulary)


@pytest.mark.parametrize("metadata", [{"a": float("nan")}, {1: 2}, {"a": (1,)}, {"a": object()}])
def test_metadata_that_json_would_change_is_refused(metadata, path):
    with pytest.raises(ValueError, match="metadata"):
        io.save(fitted(), path, metadata=metadata)


@pytest.mark.interop
def test_safetensors_reads_the_file(path):
    numpy = pytest.importorskip("safetensors.numpy")
    model = fitted()
    io.save(model, path)
    np.testing.assert_array_equal(numpy.load_file(path)["lam.rows"][:, :3].T, model.components_)


@pytest.mark.interop
def test_a_file_rewritten_by_safetensors_loads_unverified(path):
    safetensors = pytest.importorskip("safetensors")
    numpy = pytest.importorskip("safetensors.numpy")
    model = fitted()
    io.save(model, path)
    with safetensors.safe_open(path, "np") as file:
        strings, arrays = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    numpy.save_file(arrays, path, strings)
    assert same(io.load(path, verify=False).components_, model.components_)


# Damage


def test_a_flipped_bit_is_detected(path):
    io.save(
        LatentDirichletAllocation(1, max_iter=1, tol=None, random_state=np.random.RandomState(0)).fit([[1, 2]]), path
    )
    good = path.read_bytes()
    for at in range(0, len(good), 23):
        path.write_bytes(good[:at] + bytes([good[at] ^ (1 << at % 8)]) + good[at + 1 :])
        with pytest.raises(ValueError, match="cannot be read"):
            io.load(path)


@given(at=st.integers(0, 2**20), bit=st.integers(0, 7))
@settings(max_examples=100, deadline=None)
def test_a_flipped_bit_is_detected_in_a_mapped_file(at, bit, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "flipped.ldavi"
    good = (FILES / "v1.ldavi").read_bytes()
    at %= len(good)
    path.unlink(missing_ok=True)  # not in place, since files that are still mapped must not change
    path.write_bytes(good[:at] + bytes([good[at] ^ (1 << bit)]) + good[at + 1 :])
    with pytest.raises(ValueError, match="cannot be read"):
        io.load(path, mmap=True)


@given(changes=st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:the model has attributes that this version")
def test_an_unverified_file_is_loaded_or_refused(changes, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "changed.ldavi"
    content = bytearray((FILES / "v1.ldavi").read_bytes())
    end = 8 + struct.unpack("<Q", content[:8])[0]
    for at, byte in changes:
        content[at % end] = byte
    path.write_bytes(content)
    with contextlib.suppress(ValueError):
        io.load(path, verify=False)


@pytest.mark.parametrize("verify", [False, True])
@pytest.mark.parametrize("mmap", [False, True])
def test_a_truncated_file_is_detected(verify, mmap, path):
    good = (FILES / "v1.ldavi").read_bytes()
    for length in [0, 1, 7, 8, 9, *range(10, len(good), 41), len(good) - 1]:
        path.unlink(missing_ok=True)
        path.write_bytes(good[:length])
        with pytest.raises(ValueError, match="cannot be read"):
            io.load(path, mmap=mmap, verify=verify)


def test_a_file_with_appended_bytes_is_detected(path):
    path.write_bytes((FILES / "v1.ldavi").read_bytes() + b"\0")
    with pytest.raises(ValueError, match="added"):
        io.load(path, verify=False)


# Malicious files

STRINGS = {"format": "ldavi-model", "format_version": "1", "model": "{}"}
ARRAY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
BAD_HEADERS = {
    "length of 2^63": struct.pack("<Q", 2**63) + b"{}",
    "length of 2^64 - 1": b"\xff" * 64,
    "length beyond the end": struct.pack("<Q", 50) + b"{}",
    "no JSON": b"not json",
    "no object": [1, 2],
    "deep nesting": b"[" * 100_000,
    "a name twice": b'{"__metadata__": {}, "a": 1, "a": 2}',
    "no metadata": {"a": ARRAY},
    "metadata of numbers": {"__metadata__": {"format": 1}},
    "array that is no object": {"a": [1]},
    "dtype object": {"a": {**ARRAY, "dtype": "O"}},
    "dtype of numpy": {"a": {**ARRAY, "dtype": "<f4"}},
    "dtype no string": {"a": {**ARRAY, "dtype": ["F32"]}},
    "shape NaN": b'{"__metadata__": {}, "a": {"dtype": "F32", "shape": [NaN], "data_offsets": [0, 8]}}',
    "shape of floats": {"a": {**ARRAY, "shape": [2.0]}},
    "shape negative": {"a": {**ARRAY, "shape": [-2]}},
    "shape of booleans": {"a": {**ARRAY, "shape": [True], "data_offsets": [0, 4]}},
    "shape too large": {"a": {**ARRAY, "shape": [2**62, 2**62]}},
    "shape that overflows to 8 bytes": {"a": {**ARRAY, "shape": [2**62, 4, 2], "data_offsets": [0, 8]}},
    "empty shape too large": {"a": {**ARRAY, "shape": [0, 2**62, 2**62], "data_offsets": [0, 0]}},
    "many dimensions": {"a": {**ARRAY, "shape": [1] * 100 + [2]}},
    "arrays beyond the end": {"a": {**ARRAY, "shape": [1000], "data_offsets": [0, 4000]}},
    "offsets negative": {"a": {**ARRAY, "data_offsets": [-8, 0]}},
    "offsets in reverse": {"a": {**ARRAY, "data_offsets": [8, 0]}},
    "offsets that overlap": {"a": ARRAY, "b": ARRAY},
    "offsets with a gap": {"a": {**ARRAY, "shape": [1], "data_offsets": [4, 8]}},
    "three offsets": {"a": {**ARRAY, "data_offsets": [0, 8, 8]}},
    "bytes that nothing claims": {},
    "a field more": {"a": {**ARRAY, "path": "/etc/passwd"}},
    "no model": {"__metadata__": STRINGS, "a": ARRAY},
    "a model of deep nesting": {"__metadata__": {**STRINGS, "model": "[" * 100_000}, "a": ARRAY},
}


WHERE = {
    "length": "it is not a model file",
    "shape": "(its header is not JSON|array 'a')",
    "dtype": "array 'a'",
    "offsets": "array '[ab]'",
    "bytes": "its arrays need 0 bytes",
    "arrays": "its arrays need 4000 bytes",
}


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("name", BAD_HEADERS)
def test_an_inconsistent_header_is_refused_for_that_reason(name, mmap, path):
    header = BAD_HEADERS[name]
    if isinstance(header, dict) and "__metadata__" not in header and name != "no metadata":
        header = {"__metadata__": STRINGS, **header}
    if name.startswith("length"):
        path.write_bytes(header)
    else:
        write_raw(path, header, bytes(8))
    where = WHERE.get(name.split()[0], "it does not describe" if name == "no model" else "(?!it does not describe)")
    with pytest.raises(ValueError, match=rf"model\.ldavi' cannot be read: {where}"):
        io.load(path, mmap=mmap, verify=False)


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (Path(self.path),))


@pytest.mark.parametrize("way", ["pickle", "joblib", "npz", "safetensors of pickle"])
def test_a_disguised_pickle_is_not_executed(way, path, tmp_path):
    mark = tmp_path / "mark"
    payload = pickle.dumps(Bomb(mark))
    if way == "joblib":
        joblib.dump(Bomb(mark), path)
    elif way == "npz":
        with open(path, "wb") as file:
            np.savez(file, a=np.array([Bomb(mark)], dtype=object), allow_pickle=True)
    elif way == "pickle":
        path.write_bytes(payload)
    else:
        array = {"dtype": "U8", "shape": [len(payload)], "data_offsets": [0, len(payload)]}
        description = {"class": "LatentDirichletAllocation", "parameters": {"n_components": {"$pickle": "a"}}}
        strings = {**STRINGS, "model": json.dumps({**description, "defaults": [], "attributes": {}})}
        write_raw(path, {"__metadata__": strings, "a": array}, payload)
    with pytest.raises(ValueError, match="cannot be read"):
        io.load(path, verify=False)
    assert not mark.exists()


def bad(change):
    """Return a function that changes the description of a model."""
    return lambda description, strings, arrays: change(description, arrays)


UNEQUAL = [["a", {"$array": "priors.eta"}], ["b", {"$array": "priors.alpha"}]]
BAD_STATES = {
    "class of another name": bad(lambda d, a: d.update({"class": "os.system"})),
    "no attributes": bad(lambda d, a: d.pop("attributes")),
    "private attribute": bad(lambda d, a: d["attributes"].update(_rows=1)),
    "private attribute of the model": bad(lambda d, a: d["attributes"].update(_priors=1)),
    "attribute of another type": bad(lambda d, a: d["attributes"].update(n_iter_="x")),
    "number of topics": bad(lambda d, a: d["parameters"].update(n_components=7)),
    "invalid parameter": bad(lambda d, a: d["parameters"].update(max_iter=-1)),
    "parameter of another type": bad(lambda d, a: d["parameters"].update(learning_method=[1])),
    "array used twice": bad(lambda d, a: d["attributes"].update(x_=[{"$array": "priors.alpha"}] * 3)),
    "record of many fields": bad(lambda d, a: d["attributes"].update(x_={"$record": [["a", 1]] * 4000})),
    "method in the attributes": bad(lambda d, a: d["attributes"].update(transform=1)),
    "private method": bad(lambda d, a: d["attributes"].update(_fitted_lambda=1)),
    "property": bad(lambda d, a: d["attributes"].update(components_=1)),
    "dunder": bad(lambda d, a: d["attributes"].update(__class__=1)),
    "path": bad(lambda d, a: d["attributes"].update({"../../x": 1})),
    "parameter in the attributes": bad(lambda d, a: d["attributes"].update(n_jobs=1)),
    "unknown kind": bad(lambda d, a: d["attributes"].update(x_={"$eval": "1"})),
    "array that is missing": bad(lambda d, a: d["attributes"].update(x_={"$array": "nowhere"})),
    "array that is no name": bad(lambda d, a: d["attributes"].update(x_={"$array": ["lam.rows"]})),
    "record without fields": bad(lambda d, a: d["attributes"].update(x_={"$record": []})),
    "record of unequal fields": bad(lambda d, a: d["attributes"].update(x_={"$record": UNEQUAL})),
    "random state of another kind": bad(lambda d, a: d["attributes"].update(x_={"$random_state": [1, 2, 3, 4]})),
    "random state that would be read behind its end": bad(
        lambda d, a: d["attributes"]["random_state_"]["$random_state"].__setitem__(1, 10**9)
    ),
    "random state too short": bad(lambda d, a: a.update({"random_state_.0": a["random_state_.0"][:3]})),
    "defaults that are no names": bad(lambda d, a: d.update(defaults=[[]])),
    "number of features that is none": bad(lambda d, a: d["attributes"].update(n_features_in_=[12])),
    "strings of numbers": bad(
        lambda d, a: d["attributes"].update(x_={"$strings": "priors.alpha", "dtype": "object", "shape": [3]})
    ),
    "dtype of objects": bad(lambda d, a: d["parameters"].update(dtype={"$dtype": "O"})),
    "priors missing": bad(lambda d, a: d["attributes"].pop("priors")),
    "topics missing": bad(lambda d, a: d["attributes"].pop("lam")),
    "topics no array": bad(lambda d, a: d["attributes"].update(lam=3)),
    "topics of integers": bad(lambda d, a: a.update({"lam.rows": a["lam.rows"].astype(np.int32)})),
    "topics narrower than their number": bad(lambda d, a: a.update({"lam.rows": a["lam.rows"][:, :2]})),
    "topics of one dimension": bad(lambda d, a: a.update({"lam.rows": a["lam.rows"].ravel()})),
    "topics without words": bad(lambda d, a: a.update({"lam.rows": a["lam.rows"][:0]})),
    "fewer words than features": bad(lambda d, a: a.update({"lam.rows": a["lam.rows"][:5]})),
    "NaN in the topics": bad(lambda d, a: a["lam.rows"].__setitem__((0, 0), np.nan)),
    "negative topics": bad(lambda d, a: a["lam.rows"].__setitem__((0, 0), -1)),
    "alpha negative": bad(lambda d, a: a["priors.alpha"].__setitem__(0, -1)),
    "alpha of float32": bad(lambda d, a: a.update({"priors.alpha": a["priors.alpha"].astype(np.float32)})),
    "eta of another shape": bad(lambda d, a: a.update({"priors.eta": np.ones((5, 1))})),
    "sums of another shape": bad(lambda d, a: a.update({"lam.excess": np.ones(2)})),
    "decay above 1": bad(lambda d, a: d["attributes"]["lam"]["$dict"].update(decay=2.0)),
    "decay no number": bad(lambda d, a: d["attributes"]["lam"]["$dict"].update(decay="x")),
    "names of another length": bad(lambda d, a: d["attributes"].update(feature_names_in_={"$array": "priors.alpha"})),
}


@pytest.mark.parametrize("change", BAD_STATES.values(), ids=BAD_STATES)
def test_an_impossible_model_state_is_refused(change, path):
    io.save(fitted("partial", "float64"), path)
    rewrite(path, change)
    with pytest.raises(ValueError, match=r"model\.ldavi' cannot be read"):
        io.load(path)


def test_strings_of_a_fixed_width_need_memory_in_proportion_to_the_file():
    texts = json.dumps(["x" * 30_000, *[""] * 30_000]).encode()
    value = {"$strings": "wide", "dtype": "<U30000", "shape": [30_001]}
    assert peak_memory(lambda: Decoder({"wide": np.frombuffer(texts, np.uint8)}).decode(value)) < 2**22


@pytest.mark.slow
def test_loading_opens_only_its_file_and_executes_nothing(path):
    """Check Python's audit events in a separate process, since an audit hook cannot be removed."""
    io.save(fitted("partial"), path, vocabulary=["../../escape"] * 12, metadata={"path": "/etc/passwd"})
    code = f"""
        import sys
        from ldavi import io
        io.load({str(path)!r})  # performs the late imports
        events = []
        on = True
        def hook(event, arguments):
            if on and event not in ("object.__getattr__", "object.__setattr__", "sys._getframe"):
                events.append((event, str(arguments[0]) if arguments else ""))
        sys.addaudithook(hook)
        io.load({str(path)!r})
        io.load({str(path)!r}, mmap=True)
        io.read_info({str(path)!r})
        on = False
        print(sorted({{name for name, _ in events}}), sorted({{text for name, text in events if name == "open"}}))
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    names, opened = run.stdout.strip().split("] [")
    assert opened == f"{str(path)!r}]"
    assert set(names.strip("[]").replace("'", "").split(", ")) <= {"open", "mmap.__new__", "builtins.id"}


def test_a_pipe_is_refused_without_blocking(path):
    if not hasattr(os, "mkfifo"):
        return
    os.mkfifo(path)
    with pytest.raises(ValueError, match="regular"):
        io.load(path)


def test_a_missing_file_is_a_file_not_found_error(path):
    with pytest.raises(FileNotFoundError):
        io.load(path)


# Versions


@pytest.fixture
def without_extrapolation(monkeypatch):
    """Disable extrapolation, as when the first file was written."""
    compiled = _estep.update_documents
    monkeypatch.setattr(_estep, "update_documents", lambda **arguments: compiled(**{**arguments, "extrapolate": False}))


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("version", range(1, model_file.FORMAT_VERSION + 1))
def test_a_file_of_every_version_loads_and_infers_the_same(version, without_extrapolation):
    path = FILES / f"v{version}.ldavi"
    metadata = io.read_info(path).metadata
    gamma = io.load(path).transform(np.array(metadata["X"]), normalize=False)
    np.testing.assert_allclose(
        gamma, metadata["gamma"], rtol=5e-5
    )  # float32: rounding affects when the E-step converges


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_a_file_of_every_version_exists_and_continues_learning(without_extrapolation):
    assert {path.name for path in FILES.glob("*.ldavi")} == {
        f"v{n}.ldavi" for n in range(1, model_file.FORMAT_VERSION + 1)
    }, "FORMAT_VERSION was increased: run `python tests/test_io_models.py` to write the missing file, and commit it"
    for path in FILES.glob("*.ldavi"):
        metadata = io.read_info(path).metadata
        model = io.load(path).partial_fit(np.array(metadata["X"]))
        np.testing.assert_allclose(model.components_, metadata["components_later"], rtol=1e-5)


def test_a_later_format_is_refused_with_the_versions(path):
    io.save(fitted(), path)
    rewrite(path, lambda description, strings, arrays: strings.update(format_version="99", ldavi_version="9.8"))
    with pytest.raises(ValueError, match=r"format version 99 \(ldavi 9\.8\).*install a later one"):
        io.load(path)


def test_an_unknown_parameter_at_its_default_is_ignored(path):
    model = fitted()
    io.save(model, path)

    def change(description, strings, arrays):
        description["parameters"]["of_tomorrow"] = None
        description["defaults"].append("of_tomorrow")

    rewrite(path, change)
    assert same(vars(io.load(path)), vars(model))


def test_an_unknown_parameter_that_was_set_is_refused(path):
    io.save(fitted(), path)
    rewrite(path, lambda description, strings, arrays: description["parameters"].update(of_tomorrow=["a"]))
    with pytest.raises(ValueError, match="of_tomorrow"):
        io.load(path)


def test_rows_with_other_padding_are_padded_again(path):
    model = fitted("partial", "float64")
    io.save(model, path)
    rewrite(path, lambda description, strings, arrays: arrays.update({"lam.rows": arrays["lam.rows"][:, :5]}))
    assert same(vars(io.load(path)), vars(model))


# Atomic saving


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(error, step, path, monkeypatch):
    io.save(fitted(), path)
    old = path.read_bytes()

    def fail(*arguments):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(container.os, step, fail)
        with pytest.raises(type(error)):
            io.save(fitted("partial"), path)
    assert path.read_bytes() == old
    assert os.listdir(path.parent) == [path.name]


def test_saving_preserves_permissions_and_links(path, tmp_path):
    io.save(fitted(), path)
    path.chmod(0o640)
    link = tmp_path / "link.ldavi"
    link.symlink_to(path)
    io.save(fitted("partial"), link)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert same(io.load(path).components_, fitted("partial").components_)


def test_a_directory_is_not_replaced(tmp_path):
    with pytest.raises(ValueError, match="regular file"):
        io.save(fitted(), tmp_path)
    assert os.listdir(tmp_path) == []


KILLS = """
import os, signal, sys, time
import numpy as np
from ldavi import LatentDirichletAllocation, io

path, kills = sys.argv[1], int(sys.argv[2])
models = [LatentDirichletAllocation(8, random_state=seed).partial_fit(np.ones((2, 20_000))) for seed in (0, 1)]
wanted = [model.components_.copy() for model in models]
io.save(models[0], path)
start = time.perf_counter()
io.save(models[1], path)
one = time.perf_counter() - start
seen = set()
for delay in np.random.default_rng(0).uniform(0, 6 * one, kills):
    child = os.fork()
    if child == 0:
        turn = 0
        while True:
            io.save(models[turn % 2], path)
            turn += 1
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    loaded = io.load(path).components_
    seen.add([np.array_equal(loaded, lam) for lam in wanted].index(True))
left = [name for name in os.listdir(os.path.dirname(path)) if name.endswith(".tmp")]
print("loadable", kills, "torn", len(left))
"""


@pytest.mark.slow
def test_a_killed_save_leaves_a_complete_file(path):
    if not hasattr(os, "fork"):
        return
    run = subprocess.run([sys.executable, "-c", KILLS, str(path), "10"], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout.startswith("loadable 10"), run.stdout + run.stderr


def write_fixture():
    """Write the file of this version: asymmetric priors, names, a trace, and λ between two online steps."""
    path = FILES / f"v{model_file.FORMAT_VERSION}.ldavi"
    import pandas

    frame = pandas.DataFrame(X, columns=[f"wörd{w}" for w in range(12)])
    model = LatentDirichletAllocation(
        3, doc_topic_prior=[0.1, 0.2, 0.3], max_iter=2, tol=None, random_state=np.random.RandomState(5), batch_size=7
    )
    model.fit(frame).partial_fit(frame)
    later = copy.deepcopy(model).partial_fit(frame[:6])
    gamma = model.transform(frame[:6], normalize=False)
    metadata = {"X": X[:6].tolist(), "gamma": gamma.tolist(), "components_later": later.components_.tolist()}
    if path.exists():
        raise SystemExit(f"{path} exists and is never replaced")
    io.save(model, path, vocabulary=list(frame.columns), metadata=metadata)


if __name__ == "__main__":
    write_fixture()
