"""Word counts of texts.

`parameters` validates the arguments, `tokens` splits texts into words, `statistics` has the document frequencies, and
`word_counter` chooses the vocabulary and counts. `recipe` describes a way of counting in a model file.
"""
