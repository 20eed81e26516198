"""
A mixture of the parts: pipeline, grid search, classifier
=========================================================

Topics as features. From which package is a docstring, numpy or scikit-learn? A pipeline counts words, infers topics and
classifies; a grid search chooses K by what the classifier gets out of it.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline

from ldavi import LatentDirichletAllocation, inspection
from ldavi.datasets import load_docstrings

data = load_docstrings(("numpy", "sklearn"))
package = np.array([name.split(".")[0] for name in data.names])
telling = ["numpy", "np", "sklearn", "scikit", "learn"]  # the answer itself
texts_train, texts_test, y_train, y_test = train_test_split(
    data.texts, package, test_size=0.3, random_state=0, stratify=package
)

stop_words = list(CountVectorizer(stop_words="english").get_stop_words()) + telling
pipeline = Pipeline(
    [
        ("count", CountVectorizer(token_pattern=r"[a-z]{3,}", stop_words=stop_words, min_df=5, max_df=0.3)),
        ("topics", LatentDirichletAllocation(max_iter=40, tol=1e-3, random_state=0)),
        ("classify", LogisticRegression(C=10, max_iter=1000)),
    ]
)
sizes = [2, 5, 10, 20, 40]
search = GridSearchCV(pipeline, {"topics__n_components": sizes}, cv=3).fit(texts_train, y_train)

# %%
# The baseline is the larger class; the ceiling is the same classifier on all the words.

baseline = np.mean(y_test == "sklearn") if np.mean(y_train == "sklearn") > 0.5 else np.mean(y_test == "numpy")
topics_score = search.score(texts_test, y_test)
words_score = Pipeline([pipeline.steps[0], pipeline.steps[2]]).fit(texts_train, y_train).score(texts_test, y_test)
n_words = len(search.best_estimator_["count"].vocabulary_)
best = search.best_params_["topics__n_components"]
print(f"larger class {baseline:.3f}; {best} topics {topics_score:.3f}; {n_words} words {words_score:.3f}")
assert topics_score > baseline + 0.2
assert best > 2
assert search.cv_results_["mean_test_score"][-1] > search.cv_results_["mean_test_score"][0]

# %%
# Coefficients have a meaning, since topics do: the topics that speak most for either package.

fitted = search.best_estimator_
words = fitted["count"].get_feature_names_out()
weight = fitted["classify"].coef_[0]
lists = inspection.top_words_lists(fitted["topics"], 3, feature_names=words)
order = np.argsort(weight)
shown = np.concatenate([order[:5], order[-5:]])

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
mean, deviation = search.cv_results_["mean_test_score"], search.cv_results_["std_test_score"]
left.errorbar(sizes, mean, deviation, marker="o", capsize=3, color="#0072B2", label="topics, by cross-validation")
left.axhline(words_score, color="#D55E00", linestyle="--", label=f"{n_words} words (test)")
left.axhline(baseline, color="#555555", linestyle=":", label="larger class (test)")
left.set(xscale="log", xlabel="number of topics", ylabel="accuracy", title="Grid search over K")
left.set_xticks(sizes, sizes)
left.minorticks_off()
left.legend(loc="center right")
right.barh([", ".join(lists[k]) for k in shown], weight[shown], color=np.where(weight[shown] > 0, "#E69F00", "#0072B2"))
right.set(
    xlabel=f"coefficient: {fitted.classes_[0]} to the left, {fitted.classes_[1]} to the right",
    title="Topics that tell them apart",
)
plt.show()
