"""ldavi: latent Dirichlet allocation by variational inference, for scikit-learn.

>>> from ldavi import LatentDirichletAllocation
"""

from ldavi import datasets, inspection, io, metrics, plotting, progress, report, selection
from ldavi._estimator import LatentDirichletAllocation
from ldavi._fixed_topics import infer
from ldavi._infer import Inference
from ldavi._show_config import show_config
from ldavi._trace import TraceRecord
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
