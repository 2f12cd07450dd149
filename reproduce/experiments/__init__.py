"""What the scripts share: options, the protocol, runs, their store and their display.

Importing this package ends the program with one line if packages of the extra are
missing, or Keras uses another backend. Scripts therefore import it before any package
of the extra.
"""

from experiments import entry_point

entry_point.require(
    *("contourpy", "dask", "distributed", "filelock", "pandas"),
    *("scipy", "tabulate", "tqdm"),
)
entry_point.require_backend()
