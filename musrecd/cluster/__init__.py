"""Hearing on several machines: one of them scans and keeps the library, the others lend their processors."""
