"""Numbers become answers: pure functions over arrays, no database, no sound."""
