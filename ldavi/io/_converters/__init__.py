"""Conversion of models from and to other libraries.

`libraries` converts objects of scikit-learn, gensim, Spark and pyLDAvis, `model_files` the files of lda-c and Vowpal
Wabbit, and `gibbs_states` models of Gibbs samplers (MALLET, tomotopy), whose state is a topic for each token.
"""
