"""
Two models matched
==================

Topics have no numbers of their own: another random start gives them in another order, and some of them not at all.
Matching pairs them one to one so that the total similarity is greatest. What comes back from every start is in the
data; what does not is an accident of the start.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from ldavi import LatentDirichletAllocation, inspection, metrics
from ldavi.datasets import load_docstrings
from ldavi.plotting import TopicMatchingDisplay

texts = load_docstrings(("sklearn",)).texts
vectorizer = CountVectorizer(token_pattern=r"[a-z]{3,}", stop_words="english", min_df=5, max_df=0.3, dtype=np.int32)
X = vectorizer.fit_transform(texts)
words = vectorizer.get_feature_names_out()
models = [LatentDirichletAllocation(20, init="random", random_state=seed).fit(X) for seed in (0, 1)]

matching = metrics.match_topics(*models)
lists = [inspection.top_words_lists(model, 4, by="relevance", X=X, feature_names=words) for model in models]
for i in np.argsort(-matching.similarity):
    a, b = matching.pairs[i]
    print(f"{matching.similarity[i]:.2f}  {a:2} {' '.join(lists[0][a]):44} {b:2} {' '.join(lists[1][b])}")

# %%
# The pairs are a permutation, and no other pairing has a higher total; pairing by number, as one is tempted to, is
# far from it.

assert sorted(matching.pairs[:, 0]) == sorted(matching.pairs[:, 1]) == list(range(20))
itself = metrics.match_topics(models[0], models[0])
assert np.allclose(itself.similarity, 1)
roots = [np.sqrt(model.topics_.astype(float)) for model in models]
by_number = 1 - np.linalg.norm(roots[0] - roots[1], axis=1) / np.sqrt(2)  # 1 − Hellinger distance
assert matching.similarity.mean() > by_number.mean() + 0.1
print(f"mean similarity {matching.similarity.mean():.2f}, by number {by_number.mean():.2f}")

TopicMatchingDisplay.from_estimator(*models, feature_names=words)
plt.show()

# %%
# :func:`ldavi.metrics.stability_over` fits the models itself, to other seeds or to resampled documents, and says for
# each topic how much of it comes back. The models need not be ours: an array of topics of any library does.
