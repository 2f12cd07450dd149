"""What stored runs show: curves, intervals, claims, tables and figures."""
