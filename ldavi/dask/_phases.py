"""The phases of a fit on an executor: for each algorithm of one machine, the phase that does the same with parts."""

import dataclasses
from typing import Any

from ldavi._inference.cvb0 import Cvb0
from ldavi._inference.exact_bound import ExactBound
from ldavi._inference.part_of_corpus import OnPart, Sampler
from ldavi._inference.passes import Phase
from ldavi._inference.vb_batch import BatchVB
from ldavi._inference.vb_online import OnlineVB
from ldavi.dask._bound import DistributedBound
from ldavi.dask._collapsed import DistributedCvb0
from ldavi.dask._executor import Executor
from ldavi.dask._online import DistributedOnline
from ldavi.dask._pipeline import DistributedCorpus
from ldavi.dask._scheduler import DistributedVB


def distributed_phase(
    phase: Phase[Any, Any], executor: Executor, corpus: DistributedCorpus, n_threads: int, sampler: Sampler
) -> Phase[Any, Any]:
    """Return the phase that does on an executor what a phase does in memory.

    Parameters
    ----------
    n_threads : int
        Of one task.
    sampler : callable
        Brings every n-th document into this process, where phases on a part of the corpus run.
    """
    where = executor, corpus, n_threads
    if isinstance(phase, BatchVB):
        return DistributedVB(phase.settings, phase.n_passes, *where, phase.first, phase.is_warmup, phase.name)
    if isinstance(phase, Cvb0):
        return DistributedCvb0(phase.settings, phase.n_passes, *where, phase.first, phase.name)
    if isinstance(phase, OnlineVB):
        return DistributedOnline(phase.settings, phase.n_passes, phase.batch_size, phase.rate, *where, phase.n_initial)
    if isinstance(phase, OnPart):
        return dataclasses.replace(phase, sampler=sampler)
    if isinstance(phase, ExactBound):
        return DistributedBound(phase.max_inner_iter, phase.tol, *where)
    raise TypeError(f"the phase {phase.name!r} does not run on an executor")
