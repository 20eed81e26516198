"""Names for the arrays that travel through the package."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

Floats: TypeAlias = NDArray[np.floating[Any]]
Doubles: TypeAlias = NDArray[np.float64]
Int16s: TypeAlias = NDArray[np.int16]
Int32s: TypeAlias = NDArray[np.int32]
Int64s: TypeAlias = NDArray[np.int64]
UInt8s: TypeAlias = NDArray[np.uint8]
UInt16s: TypeAlias = NDArray[np.uint16]
UInt64s: TypeAlias = NDArray[np.uint64]
Masses: TypeAlias = NDArray[np.int32] | NDArray[np.float64]  # whole numbers in either
Names: TypeAlias = Sequence[str] | NDArray[Any]  # of words, documents or topics
Matrix: TypeAlias = ArrayLike | sparse.sparray | sparse.spmatrix  # counts as users pass them; DataFrames too

# Choices of several functions; the tuples that check them are made of these.
WordScore: TypeAlias = Literal["probability", "relevance", "frex", "lift"]
TopicDistance: TypeAlias = Literal["jensen_shannon", "hellinger", "cosine"]
TopicSimilarity: TypeAlias = Literal["hellinger", "jensen_shannon", "jaccard", "cosine"]
Linkage: TypeAlias = Literal["average", "complete", "single"]
CoherenceMeasure: TypeAlias = Literal["u_mass", "uci", "npmi", "c_v"]
UnseenWords: TypeAlias = Literal["score", "ignore"]
