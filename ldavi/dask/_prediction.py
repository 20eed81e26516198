"""Inference of a fitted model on the blocks of a collection, on their workers."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ldavi._estimator import validation as check
from ldavi._estimator.lda import LatentDirichletAllocation
from ldavi.dask import _executor
from ldavi.dask._collections import LazyBlocks, matrix_of


def blocks_here(lazy: LazyBlocks, n_words: int | None) -> Iterator[Any]:
    """Yield the matrices of all blocks that have documents, one after another, in this process."""
    import dask

    for block in lazy.blocks:
        matrix = _matrix(dask.compute(block)[0], n_words)
        if matrix.shape[0]:
            yield matrix


def lazy_transform(model: LatentDirichletAllocation, lazy: LazyBlocks, normalize: bool) -> Any:
    """Return E[θ] or γ as a Dask array."""
    import dask.array as da
    from dask import delayed

    sent, transform = _sent(_for_inference(model)), delayed(_transform_block, pure=False)
    dtype, K = model._lambda.dtype, model._priors.n_topics
    arrays = [
        da.from_delayed(transform(sent, block, normalize), shape=(n_docs, K), dtype=dtype, meta=np.empty((0, 0), dtype))
        for block, n_docs in zip(lazy.blocks, lazy.n_docs, strict=True)
    ]
    return da.concatenate(arrays, axis=0, allow_unknown_chunksizes=True)


def bound_and_tokens(model: LatentDirichletAllocation, lazy: LazyBlocks) -> tuple[float, float]:
    """Return the bound and the tokens, summed over all documents."""
    import dask

    sent, score = _sent(_for_inference(model)), dask.delayed(_score_block, pure=False)
    found = dask.compute(*(score(sent, block) for block in lazy.blocks))
    bound, tokens = np.sum(np.array(found).reshape(-1, 2), axis=0)
    return float(bound), float(tokens)


def _for_inference(model: LatentDirichletAllocation) -> LatentDirichletAllocation:
    """Return a copy of a model with only the attributes that inference needs, to be sent to the workers."""
    own = LatentDirichletAllocation(
        model._priors.n_topics,
        n_jobs=model.n_jobs,
        mean_change_tol=model.mean_change_tol,
        max_doc_update_iter=model.max_doc_update_iter,
    )
    own._lambda, own._priors, own.n_features_in_ = model._lambda, model._priors, model.n_features_in_
    return own


def _sent(model: LatentDirichletAllocation) -> Any:
    """Return the model as an argument of tasks: a handle on a cluster, otherwise a part of the graph."""
    from dask import delayed

    executor = _executor.current_executor()
    return executor.send(model) if executor.remote else delayed(model, pure=False, traverse=False)


def _matrix(block: Any, n_words: int | None) -> Any:
    """Return the counts of a block with the columns of the model."""
    matrix, grows = matrix_of(block)
    if not grows or n_words is None:
        return matrix
    if matrix.shape[1] > n_words:
        raise ValueError(f"X has the column {matrix.shape[1] - 1}; the model has {n_words} columns, numbered from 0")
    matrix.resize((matrix.shape[0], n_words))
    return matrix


def _transform_block(model: LatentDirichletAllocation, block: Any, normalize: bool) -> NDArray[Any]:
    matrix = _matrix(block, model.n_features_in_)
    if matrix.shape[0] == 0:
        return np.empty((0, model._priors.n_topics), model._lambda.dtype)
    return model.transform(matrix, normalize=normalize)


def _score_block(model: LatentDirichletAllocation, block: Any) -> tuple[float, float]:
    matrix = _matrix(block, model.n_features_in_)
    if matrix.shape[0] == 0:
        return 0.0, 0.0
    return model.score(matrix), float(check.check_counts(matrix, dtype=np.float64, name="score").sum())
