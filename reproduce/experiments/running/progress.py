"""The progress bar over many runs."""

import contextlib
import shutil
import sys
from collections.abc import Mapping

import tqdm

_FORMAT = "{percentage:3.0f}% |{bar:20}| {elapsed} elapsed{postfix}"
_FORMAT_WITH_ESTIMATE = (
    "{percentage:3.0f}% |{bar:20}| {elapsed} elapsed, {remaining} left{postfix}"
)
_ROWS_TO_ESTIMATE = 2  # the first row of a worker takes longer: graphs are traced


def work(num_annotations: int) -> int:
    """Return the work of a run up to a number of annotations.

    It grows faster than that number: rounds get slower as the labeled set grows.
    """
    return round(num_annotations**1.7)


class _Screen:
    """Standard error, which may be closed.

    Writing never raises: tqdm would keep its lock.
    """

    def __init__(self):
        self._stream = sys.stderr
        self.encoding = self._stream.encoding  # tqdm chooses its characters by it

    def write(self, text):
        with contextlib.suppress(BrokenPipeError):
            self._stream.write(text)

    def flush(self):
        with contextlib.suppress(BrokenPipeError):
            self._stream.flush()


class Progress:
    """A progress bar over runs that are performed side by side, in units of `work`.

    It appears, and its clock starts, with the first message of a worker. It shows the
    remaining time from the second row on.

    Args:
        reached: Number of annotations that each run has reached before, by the run's
            name. Finished runs are included.
        budget: Number of annotations at which a run is done. A run with more
            annotations, such as one on the full training set, counts as done.
    """

    def __init__(self, reached: Mapping[str, int], budget: int):
        self._whole = work(budget)
        self._reached = {run: self._done(number) for run, number in reached.items()}
        self._num_rows = 0
        self._bar: tqdm.tqdm | None = None

    def _done(self, num_annotations):
        return min(work(num_annotations), self._whole)

    def show(self, message: dict) -> None:
        """Update the bar.

        Args:
            message: What `execution.perform` reports, or `{"run": name}`.
        """
        if self._bar is None:
            is_terminal = sys.stderr.isatty()
            self._bar = tqdm.tqdm(
                file=_Screen(),
                # tqdm does not ask a file of our own for its width.
                ncols=shutil.get_terminal_size().columns if is_terminal else None,
                total=len(self._reached) * self._whole,
                initial=sum(self._reached.values()),
                bar_format=_FORMAT,
                smoothing=0.1,
                # In a log file every update is a line.
                mininterval=0.5 if is_terminal else 20,
            )
        if "waits" in message:
            self.write(f"{message['run']}: waits for another command that runs it")
        if "epoch" in message:
            self._bar.set_postfix_str(
                "{run}: restart {restart} of {num_restarts}, epoch {epoch}".format(
                    **message
                )
            )
        if "num_annotations" not in message:
            return
        self._num_rows += 1
        if self._num_rows == _ROWS_TO_ESTIMATE:
            self._bar.bar_format = _FORMAT_WITH_ESTIMATE
        run, number = message["run"], message["num_annotations"]
        self._bar.set_postfix_str(
            f"{run}: {number} annotations, {message['accuracy']:.2%}", refresh=False
        )
        # A run that lost its worker repeats at most a round: the bar never goes back.
        done = self._done(number)
        self._bar.update(max(0, done - self._reached[run]))
        self._reached[run] = max(done, self._reached[run])

    def write(self, line: str) -> None:
        """Print a line above the bar."""
        # `tqdm.write` would keep its lock if standard error is closed.
        with tqdm.tqdm.get_lock():
            if self._bar is None:
                print(line, file=sys.stderr)
            else:
                self._bar.clear(nolock=True)
                print(line, file=sys.stderr)
                self._bar.refresh(nolock=True)

    def close(self) -> None:
        """Stop updating the bar and leave it on the screen."""
        if self._bar is not None:
            self._bar.close()
