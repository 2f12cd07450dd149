"""A run: one strategy on one problem, one trial. What is run, and how, on a worker."""

import dataclasses
import time

from dfal_keras import datasets
from experiments import protocol, store

FULL = protocol.FULL


@dataclasses.dataclass(frozen=True)
class Run:
    """What to run. Its rows follow from these and `protocol`, wherever it runs.

    Attributes:
        problem: Data set and network, a key of `protocol.PROBLEMS`.
        strategy: A query strategy, your own as "module:Class", or `FULL` for the whole
            training set.
        trial: The trial's number, which is its seed.
        source: The problem whose run chose the labeled set, if the network of
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


def settings(run: Run) -> dict:
    """Return what a run's rows follow from, in a form that JSON can hold.

    That is the protocol, and under "data" the identity of the data set if it is on this
    machine.
    """
    fixed = protocol.settings(run.problem, run.strategy, run.trial, run.source)
    dataset = protocol.PROBLEMS[run.problem].dataset
    if not datasets.is_complete(dataset):
        return fixed
    return {**fixed, "data": datasets.fingerprint(dataset)}


def is_done(run: Run, budgets: tuple, kept: store.Store) -> bool:
    """Return whether a run is stored, sound, and as long as it is asked for.

    Args:
        run: The run.
        budgets: As for `perform`.
        kept: The run store.
    """
    try:
        kept.check(run, settings(run))
        rows = kept.rows(run)
    except (ValueError, OSError):
        return False  # `perform` says why it can't be used
    return _reaches(run, rows, budgets)


def _reaches(run, rows, budgets):
    """Whether a run's rows go as far as it is asked for."""
    if not len(rows):
        return False
    reached = rows["num_annotations"]
    if run.source:
        return set(budgets) <= set(reached)
    return reached.iloc[-1] >= budgets[-1]


def perform(run: Run, budgets: tuple, folder: str, report) -> None:
    """Run, or go on with, one run; write every row as it is done.

    Args:
        run: What to run.
        budgets: Numbers of annotations: the last is where to stop; a transfer is
            trained at each.
        folder: The run store.
        report: Function called with a dict after every row; with `{"run": ...,
            "waits": True}` if another process is at work on this run.
    """
    from experiments import execution

    execution.import_quietly()
    kept = store.Store(folder)
    with kept.lock(run, lambda: report({"run": str(run), "waits": True})):
        wanted = settings(run)
        kept.check(run, wanted)
        table = kept.rows(run)
        if _reaches(run, table, budgets):  # by another process, while this one waited
            return
        rows = table.to_dict("records")
        if run.source:
            new_rows = _transfer(run, rows, kept, budgets)
        elif run.strategy == FULL:
            new_rows = _train_on_everything(run, rows)
        else:
            new_rows = _learn(run, rows, kept, wanted, budgets[-1])
        recorded = False
        for row in new_rows:
            if not recorded:  # nothing is written for a run that fails at once
                kept.record(run, wanted, execution.environment())
                recorded = True
            rows.append(row)
            kept.write_rows(run, rows)
            report({"run": str(run), **row})


def _learn(run, rows, kept, wanted, budget):
    """Active learning. Yields a row, and keeps the labeled set once it is written."""
    import dfal_keras as dfal
    from experiments import execution

    problem = protocol.PROBLEMS[run.problem]
    state = kept.path(run, ".npz")
    (x, y), test_data = execution.load_data(problem.dataset)
    train = execution.make_training(problem)
    strategy = dfal.strategies.get(
        protocol.identifier(run.strategy),
        **protocol.strategy_options(run.problem, run.strategy),
    )
    if state.exists():
        learner = dfal.ActiveLearner.load(state, train, strategy)
        store.check_settings(state, learner.metadata.get("settings", {}), wanted)
        _check_rows(state, learner, rows)
    elif len(rows) > 1:
        raise ValueError(
            f"{run} has rows but no labeled set ({state}) to go on from. Use another "
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
    # A row was written, but the process was killed before its labeled set was.
    del rows[learner.round :]
    for finished in learner.rounds(x, y, budget=budget, test_data=test_data):
        yield dataclasses.asdict(finished)
        learner.metadata = {
            "settings": wanted,
            "rows": store.checksum(store.to_csv(rows[: learner.round])),
        }
        learner.save(state)


def _check_rows(path, learner, rows):
    """Refuse a labeled set that the rows do not lead to."""
    before = store.checksum(store.to_csv(rows[: learner.round]))
    if (
        learner.round not in (len(rows) - 1, len(rows))
        or learner.metadata.get("rows") != before
    ):
        raise ValueError(
            f"{path} and the rows beside it do not belong together: it was written "
            f"after {learner.round} queries, and there are {len(rows)} rows. Remove "
            "the files of this run, or use another --output."
        )


def _train_on_everything(run, rows):
    """One training on the full training set: the paper's column "All"."""
    if rows:
        return
    from experiments import execution

    problem = protocol.PROBLEMS[run.problem]
    (x, y), test_data = execution.load_data(problem.dataset)
    train = execution.make_training(problem)
    yield _train_and_test(train, x, y, len(y), test_data, seed=run.trial)


def _transfer(run, rows, kept, budgets):
    """Train one network on what another's run had labeled, at each budget."""
    import dfal_keras as dfal
    from experiments import execution

    problem = protocol.PROBLEMS[run.problem]
    (x, _), test_data = execution.load_data(problem.dataset)
    train = execution.make_training(problem)
    source = Run(run.source, run.strategy, run.trial)
    state = kept.path(source, ".npz")
    if not state.exists():
        raise ValueError(
            f"{run} needs the labeled set of the run it builds on, which is missing: "
            f"{state}. Use another --output, so that that run is made with it."
        )
    learner = dfal.ActiveLearner.load(state, train)
    made_with = learner.metadata.get("settings", {})
    store.check_settings(state, made_with, settings(source))
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
    from dfal_keras.backend import inference

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
