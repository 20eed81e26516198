"""Fits over the workers of a Dask cluster, with the results of a fit in memory (extra `dask`)."""

from importlib.util import find_spec

_MISSING = [name for name in ("dask", "distributed") if find_spec(name) is None]
if _MISSING:
    msg = f"ldavi.dask needs {' and '.join(_MISSING)}, which are not installed: pip install 'ldavi[dask]'"
    raise ImportError(msg)

from ldavi.dask._estimator import LatentDirichletAllocation  # noqa: E402  after the check of its dependencies

__all__ = ["LatentDirichletAllocation"]
