"""Which runs a table or a figure needs: the grid, as data."""

import argparse

from experiments import protocol, runs


def curves(options: argparse.Namespace) -> list:
    """Return the runs of Tables 1 and 2 and of Figure 2."""
    return [*learning(options), *full_sets(options)]


def learning(options: argparse.Namespace) -> list:
    """Return the runs of active learning, trial by trial: early tables are whole."""
    return [
        runs.Run(problem, strategy, trial)
        for problem in options.problem
        for trial in range(options.trials)
        for strategy in options.strategy
    ]


def full_sets(options: argparse.Namespace) -> list:
    """Return the runs on the full training set, if the preset has them."""
    if not options.full_sets:
        return []
    return [
        runs.Run(problem, runs.FULL, trial)
        for problem in options.problem
        for trial in range(options.trials)
    ]


def transfer_pairs(options: argparse.Namespace) -> list:
    """Return (source, target) for every problem: the other network, the same data."""
    return [
        (source, target)
        for source in options.problem
        for target in protocol.PROBLEMS
        if source != target and source.rsplit("-", 1)[0] == target.rsplit("-", 1)[0]
    ]


def transfers(options: argparse.Namespace) -> list:
    """Return the runs of Table 4 and Figure 3, those that they build on first."""
    chosen = [
        (strategy, trial)
        for trial in range(options.trials)
        for strategy in protocol.TRANSFERRED
        if strategy in options.strategy
    ]
    pairs = transfer_pairs(options)
    return [
        *(runs.Run(source, *choice) for source, _ in pairs for choice in chosen),
        *(
            runs.Run(target, *choice, source=source)
            for source, target in pairs
            for choice in chosen
        ),
    ]
