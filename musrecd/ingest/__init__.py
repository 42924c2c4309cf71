"""Files become rows: find them, hear them in worker processes, store what was heard."""
