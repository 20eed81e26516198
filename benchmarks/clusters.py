"""Shared by the distributed parts: a local Dask cluster, and a corpus as files that its workers read."""

import itertools
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from scipy import sparse


@contextmanager
def cluster_of(workers: int, *, processes: bool = True) -> Iterator[tuple[Any, Any]]:
    """Provide a local cluster of single-threaded workers, and its client, the current one within the block."""
    import logging

    from dask.distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=processes,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        client.wait_for_workers(workers)
        yield cluster, client


@contextmanager
def blocks_of(X: sparse.csr_array, n_blocks: int) -> Iterator[Any]:
    """Provide a Dask array whose blocks are read from files, so that blocks of a killed worker can be read again."""
    import dask.array as da
    from dask import delayed

    edges = np.linspace(0, X.shape[0], n_blocks + 1).astype(int)
    with TemporaryDirectory() as directory:
        arrays = []
        for i, (first, last) in enumerate(itertools.pairwise(edges)):
            path = Path(directory) / f"{i}.npz"
            sparse.save_npz(path, sparse.csr_matrix(X[first:last]), compressed=False)
            meta = sparse.csr_matrix((0, 0), dtype=X.dtype)
            block = delayed(sparse.load_npz)(str(path))
            arrays.append(da.from_delayed(block, shape=(last - first, X.shape[1]), dtype=X.dtype, meta=meta))
        yield da.concatenate(arrays)


def persisted(A: Any) -> Any:
    """Load the blocks of A into the memory of the workers and wait until they are there."""
    from dask.distributed import wait

    A = A.persist()
    wait(A)
    return A


def kill_a_worker(cluster: Any, client: Any, number: int) -> None:
    """Send SIGKILL to one of the workers' processes, and return when its replacement has started."""
    nannies = list(cluster.workers.values())
    nanny = nannies[number % len(nannies)]
    pid = nanny.pid
    os.kill(pid, signal.SIGKILL)
    while nanny.pid in (pid, None) or len(client.nthreads()) < len(nannies):
        time.sleep(0.05)
