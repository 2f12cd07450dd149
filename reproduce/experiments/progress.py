"""The progress bar over the work of many runs."""

import contextlib
import shutil
import sys

import tqdm

_UNKNOWN = "{percentage:3.0f}% |{bar:20}| {elapsed} gone{postfix}"
_KNOWN = "{percentage:3.0f}% |{bar:20}| {elapsed} gone, {remaining} left{postfix}"
_ROWS_TO_ESTIMATE = 2  # the first row of a worker takes longer: graphs are traced


def work(num_annotations: int) -> int:
    """Work of a run up to a number of annotations: rounds get slower as it grows."""
    return round(num_annotations**1.7)


class _Screen:
    """Standard error, which may be closed: tqdm keeps its lock if writing fails."""

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
    """A bar over runs that go side by side, in units that pass at an even pace.

    It appears, and its clock starts, with the first message of a worker. It shows the
    remaining time from the second row on.

    Args:
        reached: The number of annotations that each run has reached before, by the
            run's name; finished runs included.
        budget: The number of annotations at which a run ends. A run that counts more
            annotations at once, such as one on the full training set, is done then too.
    """

    def __init__(self, reached: dict, budget: int):
        self._whole = work(budget)
        self._reached = {run: self._done(number) for run, number in reached.items()}
        self._num_rows = 0
        self._bar = None

    def _done(self, num_annotations):
        return min(work(num_annotations), self._whole)

    def show(self, message: dict):
        """Move on by what `runs.perform` reports, or `{"run": name}`."""
        if self._bar is None:
            is_terminal = sys.stderr.isatty()
            self._bar = tqdm.tqdm(
                file=_Screen(),
                # tqdm asks for the width of what it knows to be the screen only.
                ncols=shutil.get_terminal_size().columns if is_terminal else None,
                total=len(self._reached) * self._whole,
                initial=sum(self._reached.values()),
                bar_format=_UNKNOWN,
                smoothing=0.1,
                # A log file wants a line now and then, a terminal a bar that moves.
                mininterval=0.5 if is_terminal else 20,
            )
        if "waits" in message:
            self.write(f"{message['run']}: waits for another command that runs it")
        if "num_annotations" not in message:
            return
        self._num_rows += 1
        if self._num_rows == _ROWS_TO_ESTIMATE:
            self._bar.bar_format = _KNOWN
        run, number = message["run"], message["num_annotations"]
        self._bar.set_postfix_str(
            f"{run}: {number} annotations, {message['accuracy']:.2%}", refresh=False
        )
        # A run that lost its worker repeats a round at most: the bar waits for it.
        done = self._done(number)
        self._bar.update(max(0, done - self._reached[run]))
        self._reached[run] = max(done, self._reached[run])

    def write(self, line: str):
        """Print a line above the bar."""
        # `tqdm.write` would keep its lock if standard error is closed.
        with tqdm.tqdm.get_lock():
            if self._bar is None:
                print(line, file=sys.stderr)
            else:
                self._bar.clear(nolock=True)
                print(line, file=sys.stderr)
                self._bar.refresh(nolock=True)

    def close(self):
        """Leave the bar on the screen as it is."""
        if self._bar is not None:
            self._bar.close()
