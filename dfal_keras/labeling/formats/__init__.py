"""Files of queries and answers."""
