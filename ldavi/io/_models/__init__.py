"""Files of fitted models and of fits in progress.

`container` writes named arrays and strings to one file with a checksum, `encoding` turns Python values into both,
`model_file` has `save`, `load` and `read_info`, `counters` stores how texts were counted, `pipeline` has
`load_pipeline`, and `checkpoint` has `Checkpoint`.
"""
