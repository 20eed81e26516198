"""What every test file may ask for."""

from collections.abc import Iterator

import numpy as np
import pytest

from ldavi import _estep
from ldavi._core.threads import Workers
from ldavi._inference import assignments, e_step, m_step


@pytest.fixture(autouse=True)
def seeded_random_numbers() -> None:
    """Seed NumPy's global generator, which `random_state=None` uses, so that every run of a test is the same."""
    np.random.seed(0)  # noqa: NPY002  it is the generator of scikit-learn's convention


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
    monkeypatch.setattr(e_step, "BLOCK_BYTES", 2**10)
    monkeypatch.setattr(e_step, "BLOCK_COUNTS", 150)
    monkeypatch.setattr(e_step, "WAVE_BYTES", 2**12)
    monkeypatch.setattr(e_step, "CALL_WORK", 2**12)
    monkeypatch.setattr(m_step, "WORDS_PER_CALL", 7)
    monkeypatch.setattr(assignments, "MIN_COUNTS", 40)
