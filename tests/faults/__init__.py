"""What can go wrong while the daemon runs, provoked on purpose: see `python -m tests.faults --help`."""
