"""Fits over the workers of a Dask cluster, with the results of one machine (extra `dask`)."""

from importlib.util import find_spec

_MISSING = [name for name in ("dask", "distributed") if find_spec(name) is None]
if _MISSING:
    msg = f"ldavi.dask needs {' and '.join(_MISSING)}, which are not installed here: pip install 'ldavi[dask]'"
    raise ImportError(msg)

from ldavi.dask._estimator import LatentDirichletAllocation  # noqa: E402  after what it needs is known to be there

__all__ = ["LatentDirichletAllocation"]
