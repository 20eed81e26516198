"""What every test file may ask for."""

from collections.abc import Iterator

import numpy as np
import pytest

from ldavi import _collapsed, _documents, _estep, _mstep
from ldavi._parallel import Workers


@pytest.fixture(params=_estep.instruction_sets())
def instruction_set(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each instruction set of this machine in turn; the former one comes back."""
    former = _estep.instruction_set()
    _estep.use_instruction_set(request.param)
    yield request.param
    _estep.use_instruction_set(former)


@pytest.fixture(params=[np.float32, np.float64], ids=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> np.dtype:
    """Either precision of the compiled loop."""
    return np.dtype(request.param)


@pytest.fixture
def workers() -> Iterator[Workers]:
    """The calling thread alone."""
    with Workers(1) as one:
        yield one


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits so low that a tiny corpus is cut into many blocks, waves and calls."""
    monkeypatch.setattr(_documents, "BLOCK_BYTES", 2**10)
    monkeypatch.setattr(_documents, "BLOCK_COUNTS", 150)
    monkeypatch.setattr(_documents, "WAVE_BYTES", 2**12)
    monkeypatch.setattr(_documents, "CALL_WORK", 2**12)
    monkeypatch.setattr(_mstep, "WORDS_PER_CALL", 7)
    monkeypatch.setattr(_collapsed, "LEAST_COUNTS", 40)
