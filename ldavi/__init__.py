"""ldavi: latent Dirichlet allocation by variational inference, compatible with scikit-learn.

>>> from ldavi import LatentDirichletAllocation

Names are imported when they are used for the first time, so that parts which are not used take no time.
"""

import importlib
from typing import TYPE_CHECKING, Any

from ldavi import _estep as _estep  # chooses the instruction set, or refuses LDAVI_SIMD, at import
from ldavi._version import __version__

if TYPE_CHECKING:
    from ldavi import datasets, inspection, io, metrics, plotting, progress, report, selection
    from ldavi._estimator.infer import infer
    from ldavi._estimator.lda import LatentDirichletAllocation
    from ldavi._inference.fixed_topics import Inference
    from ldavi._inference.trace import TraceRecord
    from ldavi._show_config import show_config

__all__ = [
    "Inference",
    "LatentDirichletAllocation",
    "TraceRecord",
    "__version__",
    "datasets",
    "infer",
    "inspection",
    "io",
    "metrics",
    "plotting",
    "progress",
    "report",
    "selection",
    "show_config",
]

_MODULES = {
    "Inference": "_inference.fixed_topics",
    "LatentDirichletAllocation": "_estimator.lda",
    "TraceRecord": "_inference.trace",
    "infer": "_estimator.infer",
    "show_config": "_show_config",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        value = getattr(importlib.import_module(f"ldavi.{_MODULES[name]}"), name)
    elif name in __all__:
        value = importlib.import_module(f"ldavi.{name}")
    else:
        raise AttributeError(f"module 'ldavi' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__} - {"Any", "TYPE_CHECKING", "importlib"})
