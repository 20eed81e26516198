"""Word counts of texts: `parameters` validates the arguments, `tokens` splits texts, `word_counter` counts."""
