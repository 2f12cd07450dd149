"""Runs on workers: scheduled with Dask, performed, shown while they run."""
