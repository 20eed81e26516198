"""ldavi: latent Dirichlet allocation by variational inference, compatible with scikit-learn.

>>> from ldavi import LatentDirichletAllocation
"""

from ldavi import datasets, inspection, io, metrics, plotting, progress, report, selection
from ldavi._estimator.infer import infer
from ldavi._estimator.lda import LatentDirichletAllocation
from ldavi._inference.fixed_topics import Inference
from ldavi._inference.trace import TraceRecord
from ldavi._show_config import show_config
from ldavi._version import __version__

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
