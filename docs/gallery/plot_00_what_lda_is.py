"""
What LDA is, in a picture
=========================

Twelve short texts on two subjects. Fitting takes the matrix of counts apart: topics, which say how probable each word
is, and proportions, which say how much of each topic a document holds.
"""

import matplotlib.pyplot as plt
import numpy as np

from ldavi import LatentDirichletAllocation, inspection
from ldavi.io import count_words

texts = [
    "bake the bread until the crust is brown",
    "knead the dough and let the dough rise",
    "bread dough with olive oil and salt",
    "salt flour and oil make bread dough",
    "brown bread crust with olive oil",
    "solve a sparse linear system of rows",
    "the eigenvalues of a sparse matrix",
    "rows of a sparse matrix and a linear system",
    "matrix rows times matrix columns",
    "eigenvalues of a linear system matrix",
    "a matrix of bread and oil rows for salt and dough",
    "a linear system for flour oil and salt",
]
X, words = count_words(texts, stop_words="english", min_df=2)
lda = LatentDirichletAllocation(2, doc_topic_prior=0.1, topic_word_prior=0.05, random_state=0).fit(X)
theta = lda.transform(X)

order = np.lexsort((-lda.topics_.max(axis=0), lda.topics_.argmax(axis=0)))  # each topic's words together
if lda.topics_[0, words.tolist().index("bread")] < lda.topics_[1, words.tolist().index("bread")]:
    order = order[::-1]
first = int(lda.topics_[:, words.tolist().index("bread")].argmax())
topics, theta = lda.topics_[[first, 1 - first]][:, order], theta[:, [first, 1 - first]]

assert (theta[:5, 0] > 0.8).all()  # texts on baking
assert (theta[5:10, 1] > 0.8).all()  # texts on matrices
assert ((theta[10:] > 0.15) & (theta[10:] < 0.85)).all()  # texts on both
print(inspection.top_words(lda, 4, feature_names=words).round(2))

figure, axes = plt.subplots(1, 3, figsize=(11, 4.2), layout="constrained", width_ratios=[1.5, 1.1, 0.8])
axes[0].imshow(X.toarray()[:, order], cmap="Greys", aspect="auto", vmin=0, vmax=3)
axes[0].set_xticks(range(len(words)), words[order], rotation=90)
axes[0].set(ylabel="document", title="Counts …")
axes[0].set_yticks(range(len(texts)))
colors = ("#D55E00", "#0072B2")
for k in (0, 1):
    axes[1].barh(np.arange(len(words)) + 0.2 * (2 * k - 1), topics[k], 0.4, color=colors[k], label=f"topic {k}")
    axes[2].barh(range(len(texts)), theta[:, k], left=theta[:, :k].sum(axis=1), color=colors[k])
axes[1].set_yticks(range(len(words)), words[order])
axes[1].set(xlabel="probability of the word", title="… are topics …")
axes[1].legend()
axes[2].set(xlabel="share of the topic", title="… times proportions", xlim=(0, 1))
axes[2].set_yticks(range(len(texts)))
for ax in axes[1:]:
    ax.invert_yaxis()
plt.show()
