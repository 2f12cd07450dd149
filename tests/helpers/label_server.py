"""The command `label` in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import threading

TIMEOUT = 600  # seconds


class LabelServer:
    """The command `label session` in a process, as a person starts it.

    Args:
        folder: The folder of the session.
        *options: Options of the command.

    Attributes:
        address: The address of the page; `None` if there is nothing to show.
    """

    def __init__(self, folder, *options):
        command = [sys.executable, "-m", "dfal_keras", "label", "session"]
        self._process = subprocess.Popen(
            [*command, "--no-browser", *options],
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            preexec_fn=_take_interrupts,
        )
        self.address, self._lines = None, []
        for line in self._process.stdout:
            self._lines.append(line)
            if found := re.search(r"http://\S+/", line):
                self.address = found[0]
                break
        # Further output must not fill the pipe.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def end(self):
        """Press Ctrl-C, wait, and return what the command has printed."""
        self._process.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self):
        """Wait for the end of the command, and return what it has printed."""
        code = self._process.wait(TIMEOUT)
        self._reader.join()
        output = "".join(self._lines)
        assert code == 0, output
        return output

    def kill(self):
        """Kill the process."""
        self._process.kill()
        self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def _read(self):
        self._lines.extend(self._process.stdout)


def _take_interrupts():
    """Let Ctrl-C end the process, also if it is ignored in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
