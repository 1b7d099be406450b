"""Facts -> words: templates, each language's words, and the bytes of a letter."""
