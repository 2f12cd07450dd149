"""A run: one strategy on one problem, one trial. What is run, and how, on a worker."""

import dataclasses
import time

import protocol
import store

FULL = "full"  # in place of a strategy: the whole training set, the column "All"


@dataclasses.dataclass(frozen=True)
class Run:
    """What to run. Its rows follow from these and `protocol`, wherever it runs.

    Attributes:
        problem: Data set and network, a key of `protocol.PROBLEMS`.
        strategy: A query strategy, your own as "module:Class", or `FULL` for the whole
            training set.
        trial: The trial's number, which is its seed.
        source: The problem whose run chose the labelled set, if the network of
            `problem` is trained on another network's choice (Table 4, Figure 3).
    """

    problem: str
    strategy: str
    trial: int
    source: str | None = None

    @property
    def kind(self) -> str:
        """All trials' names begin with this."""
        return f"{self.problem}_{self.strategy.replace(':', '.')}"

    def __str__(self):
        origin = f"_from_{self.source}" if self.source else ""
        return f"{self.kind}_{self.trial}{origin}"


def perform(run: Run, budgets: tuple, folder: str, report) -> None:
    """Run, or go on with, one run; write every row as it is done.

    Args:
        run: What to run.
        budgets: Numbers of annotations: the last is where to stop; a transfer is
            trained at each.
        folder: The run store.
        report: Function called with a dict after every row.
    """
    import worker

    worker.import_quietly()
    runs = store.Store(folder)
    settings = protocol.settings(run.problem, run.strategy, run.trial, run.source)
    runs.check(run, settings)
    rows = runs.rows(run).to_dict("records")
    if run.source:
        new_rows = _transfer(run, rows, runs, budgets)
    elif run.strategy == FULL:
        new_rows = _train_on_everything(run, rows)
    else:
        new_rows = _learn(run, rows, runs.path(run, ".npz"), budgets[-1])
    recorded = False
    for row in new_rows:
        if not recorded:  # nothing is written for a run that fails at once
            runs.record(run, settings, worker.environment())
            recorded = True
        rows.append(row)
        runs.write_rows(run, rows)
        report({"run": str(run), **row})


def _learn(run, rows, state, budget):
    """Active learning. Yields a row, and keeps the labelled set once it is written."""
    import worker

    import dfal_keras as dfal

    problem = protocol.PROBLEMS[run.problem]
    (x, y), test_data = worker.load_data(problem.dataset)
    train = worker.make_training(problem)
    strategy = dfal.strategies.get(
        run.strategy, **protocol.strategy_options(run.problem, run.strategy)
    )
    if state.exists():
        learner = dfal.ActiveLearner.load(state, train, strategy)
    elif len(rows) > 1:
        raise ValueError(
            f"{run} has rows but no labelled set ({state}) to go on from. Use another "
            "--output, or remove the run."
        )
    else:
        learner = dfal.ActiveLearner(
            train,
            strategy,
            num_queries=protocol.NUM_QUERIES,
            num_initial=protocol.NUM_INITIAL,
            seed=run.trial,
        )
    del rows[learner.round :]  # a row was written, but killed before its labelled set
    for finished in learner.rounds(x, y, budget=budget, test_data=test_data):
        yield dataclasses.asdict(finished)
        learner.save(state)


def _train_on_everything(run, rows):
    """One training on the full training set: the paper's column "All"."""
    if rows:
        return
    import worker

    problem = protocol.PROBLEMS[run.problem]
    (x, y), test_data = worker.load_data(problem.dataset)
    train = worker.make_training(problem)
    yield _train_and_test(train, x, y, len(y), test_data, seed=run.trial)


def _transfer(run, rows, runs, budgets):
    """Train one network on what another's run had labelled, at each budget."""
    import worker

    import dfal_keras as dfal

    problem = protocol.PROBLEMS[run.problem]
    (x, _), test_data = worker.load_data(problem.dataset)
    train = worker.make_training(problem)
    state = runs.path(Run(run.source, run.strategy, run.trial), ".npz")
    if not state.exists():
        raise ValueError(
            f"{run} needs the labelled set of the run it builds on, which is missing: "
            f"{state}. Use another --output, so that that run is made with it."
        )
    learner = dfal.ActiveLearner.load(state, train)
    done = {row["num_annotations"] for row in rows}
    for budget in budgets:
        if budget in done:
            continue
        labeled = learner.labeled.first(budget)
        # The seed of that round, so that a transfer of RANDOM is RANDOM itself.
        seed = learner.training_seed(
            (budget - learner.num_initial) // learner.num_queries
        )
        yield _train_and_test(train, *labeled.arrays(x), budget, test_data, seed=seed)


def _train_and_test(train, x, y, num_annotations, test_data, seed):
    from dfal_keras import inference

    started = time.perf_counter()
    model = train(x, y, seed=seed)
    fitted = time.perf_counter()
    loss, accuracy = inference.evaluate(model, *test_data)
    return {
        "num_annotations": num_annotations,
        "num_labeled": len(y),
        "accuracy": accuracy,
        "loss": loss,
        "fit_seconds": fitted - started,
        "evaluate_seconds": time.perf_counter() - fitted,
    }
