"""What the scripts share: the protocol, the runs, the store, tables and figures."""
