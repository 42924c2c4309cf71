"""Numbers at rest: one SQLite file and, beside it, a memory-mapped matrix of the embeddings."""
