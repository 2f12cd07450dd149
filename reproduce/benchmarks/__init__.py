"""What `speed.py` times, one module a subject, each a generator of rows."""
