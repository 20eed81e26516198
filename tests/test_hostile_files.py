"""Damaged checkpoints, links, archives with odd members, and processes that write to the same file."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

import ldavi
from ldavi import LatentDirichletAllocation, io
from ldavi._core.saved_arrays import checked_priors
from ldavi._estimator.restore import restored, state_of
from ldavi.cli import main

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = sparse.csr_array(np.random.default_rng(0).poisson(0.5, (40, 20)))


def model(**parameters):
    return LatentDirichletAllocation(3, max_iter=4, tol=None, random_state=0, **parameters)


# Bit flips


def flipped(data, position, bit):
    changed = bytearray(data)
    changed[position] ^= 1 << bit
    return bytes(changed)


def check_flips(tmp_path, n_flips, seed, **parameters):
    """Flip single bits of a checkpoint; each fit refuses it, and leaves the file as it is."""
    path = tmp_path / "fit.checkpoint"
    model(**parameters).fit(X, checkpoint=io.Checkpoint(path, minutes=0))
    whole, rng = path.read_bytes(), np.random.default_rng(seed)
    for position in rng.integers(0, len(whole), n_flips):
        damaged = flipped(whole, position, rng.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="checkpoint="):
            model(**parameters).fit(X, checkpoint=io.Checkpoint(path, minutes=0))
        assert path.read_bytes() == damaged
    for length in rng.integers(0, len(whole), n_flips // 4):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="checkpoint="):
            model(**parameters).fit(X, checkpoint=io.Checkpoint(path, minutes=0))


KINDS = {"batch": {}, "online": {"learning_method": "online", "batch_size": 10}, "cvb0": {"inference": "cvb0"}}


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_of_a_checkpoint_is_noticed(tmp_path, kind):
    check_flips(tmp_path, 40, 0, **KINDS[kind])


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_thousands_of_flipped_bits_are_noticed(tmp_path, kind):
    check_flips(tmp_path, 3000, 1, **KINDS[kind])


def test_a_flipped_bit_of_the_finished_fits_of_a_sweep_is_noticed_or_harmless(tmp_path):
    from ldavi.selection import sweep

    path = tmp_path / "fits"
    arguments = {"n_init": 2, "random_state": 0, "n_jobs": 1, "estimator": model(), "path": path}
    expected = sweep(X, [2, 3], **arguments).table
    files = {file: file.read_bytes() for file in ([path] if path.is_file() else sorted(path.rglob("*")))}
    rng = np.random.default_rng(0)
    for _ in range(12):
        file = list(files)[rng.integers(len(files))]
        position = rng.integers(len(files[file]))
        file.write_bytes(flipped(files[file], position, rng.integers(8)))
        try:
            found = sweep(X, [2, 3], **arguments).table
        except ValueError:
            found = None
        if found is not None:
            np.testing.assert_array_equal(np.asarray(found["perplexity"]), np.asarray(expected["perplexity"]))
        for other, content in files.items():
            other.write_bytes(content)


# Folders and archives


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
def test_links_of_a_folder_lead_to_no_loop_and_a_broken_one_is_an_error_with_its_name(tmp_path, capsys):
    folder = tmp_path / "texts"
    (folder / "inner").mkdir(parents=True)
    (folder / "a.txt").write_text("red green", encoding="utf-8")
    (folder / "inner" / "loop").symlink_to(folder)
    assert io.read_corpus(folder).X.shape[0] == 1
    (folder / "b.txt").symlink_to(tmp_path / "nowhere")
    assert main(["fit", str(folder), "-k", "2"]) == 1
    assert "Traceback" not in (error := capsys.readouterr().err)
    assert "b.txt" in error


@pytest.mark.parametrize("name", ["../../outside.npy", "/outside.npy", "data.npy/../../outside.npy"])
def test_an_archive_with_a_member_outside_is_read_without_writing_anything(tmp_path, name):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    path = inner / "counts.npz"
    sparse.save_npz(path, sparse.csr_matrix(X))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"content")
    before = sorted(tmp_path.rglob("*"))
    io.read_corpus(path)
    assert sorted(tmp_path.rglob("*")) == before


# Two processes


SAVES = """
import sys, numpy as np
from ldavi import LatentDirichletAllocation, io
number, path = int(sys.argv[1]), sys.argv[2]
X = np.random.default_rng(0).poisson(1.0, (30, 200))
model = LatentDirichletAllocation(5, random_state=number, max_iter=2, tol=None).fit(X)
for _ in range(60):
    io.save(model, path)
    io.load(path)
"""


def test_two_processes_that_save_to_one_path_leave_a_whole_file_of_one_of_them(tmp_path):
    path = tmp_path / "m.ldavi"
    place = str(Path(ldavi.__file__).resolve().parents[1])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [place, os.environ.get("PYTHONPATH")]))}
    command = [sys.executable, "-W", "ignore", "-c", SAVES]
    processes = [
        subprocess.Popen([*command, str(number), str(path)], env=environment, stderr=subprocess.PIPE, text=True)
        for number in range(2)
    ]
    for process in processes:
        _, error = process.communicate(timeout=100)
        if os.name == "posix":  # Windows refuses to replace a file that another process has open
            assert process.returncode == 0, error
    assert io.load(path).random_state in (0, 1)
    assert [file.name for file in tmp_path.iterdir()] == ["m.ldavi"]


# Numbers that no fit has


@pytest.mark.parametrize(("alpha", "eta"), [(1e300, 0.1), (1e-300, 0.1), (0.1, 1e300), (0.1, 1e-300), (np.nan, 0.1)])
def test_priors_that_no_fit_accepts_are_refused(alpha, eta):
    with pytest.raises(ValueError, match=r"alpha|eta"):
        checked_priors(np.array([0.1, alpha]), np.array([[eta]]))


def test_a_number_of_online_steps_below_1_is_refused():
    fitted = model()
    fitted.partial_fit(X)
    state = {**state_of(fitted), "n_batch_iter_": 0}
    with pytest.raises(ValueError, match="n_batch_iter_"):
        restored(fitted.get_params(), state)
