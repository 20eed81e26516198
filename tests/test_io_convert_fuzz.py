"""Damaged models of other programs are read or raise a ValueError that names the file, and need little memory."""

import gzip
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory import peak_memory
from test_io_fuzz import damaged

from ldavi import io

FILES = Path(__file__).parent / "model_files"
MAX_MEMORY = 8 * 2**20  # bytes for reading a file of some kilobytes
READERS = {
    "mallet_state.gz": io.from_mallet_state,
    "state": io.from_mallet_state,
    "vw.txt": io.from_vw,
    "lda_c.beta": lambda path: io.from_lda_c(path.with_suffix("")),
    "lda_c.other": lambda path: io.from_lda_c(path.with_suffix("")),
}
quick = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def original(name):
    """Return the file as the other program wrote it."""
    return gzip.decompress((FILES / "mallet_state.gz").read_bytes()) if name == "state" else (FILES / name).read_bytes()


def read(reader, path):
    """Return whether the file was read; a ValueError must name it."""
    error = None
    try:
        assert np.isfinite(reader(path).components_).all()
    except ValueError as caught:
        error = caught
    assert error is None or path.stem in str(error)
    return error is None


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_model_is_read_or_is_an_error_that_names_it(name, tmp_path):
    for other in ("lda_c.beta", "lda_c.other"):
        (tmp_path / other).write_bytes(original(other))
    path = tmp_path / name
    path.write_bytes(original(name))
    assert read(READERS[name], path)

    @quick
    @given(damaged(original(name)))
    def check(content):
        path.write_bytes(content)
        assert peak_memory(partial(read, READERS[name], path)) < MAX_MEMORY

    check()


@pytest.mark.parametrize("name", READERS)
def test_arbitrary_bytes_are_a_model_or_an_error(name, tmp_path):
    for other in ("lda_c.beta", "lda_c.other"):
        (tmp_path / other).write_bytes(original(other))
    path = tmp_path / name

    @quick
    @given(st.binary(max_size=200) | st.text("0123456789: \n\t-.e#%abd_", max_size=200).map(str.encode))
    def check(content):
        path.write_bytes(content)
        read(READERS[name], path)

    check()


@pytest.mark.parametrize(
    "line", ["0 NA 0 99999999999 word 0", "0 NA 0 999999999999999999999 word 0", "0 NA 0 2000000 word 1"]
)
def test_a_state_with_far_more_types_than_tokens_is_an_error(line, tmp_path):
    path = tmp_path / "state"
    path.write_text(f"#alpha : 0.1 0.1 \n#beta : 0.1\n{line}\n")
    with pytest.raises(ValueError, match="line 3"):
        io.from_mallet_state(path)


@pytest.mark.parametrize("reader", [io.from_mallet_state, io.from_vw])
def test_a_compressed_line_that_is_too_long_is_not_expanded(reader, tmp_path, monkeypatch):
    monkeypatch.setattr("ldavi.io._converters.model_files.MAX_LINE", 10**5)
    path = tmp_path / "bomb"
    path.write_bytes(gzip.compress(bytes(30_000_000)))

    def check():
        with pytest.raises(ValueError, match=r"bomb.*more than 100000 bytes"):
            reader(path)

    assert peak_memory(check) < MAX_MEMORY
