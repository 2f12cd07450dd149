"""The command line, `python -m dfal_keras`."""
