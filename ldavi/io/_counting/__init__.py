"""Word counts of texts.

`parameters` validates the arguments, `tokens` splits texts into words, `statistics` has the document frequencies, and
`word_counter` chooses the vocabulary and counts.
"""
