"""Timings for `speed.py`, `table3.py` and `solvers.py`, one module for each subject."""
