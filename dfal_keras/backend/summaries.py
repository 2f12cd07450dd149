"""Numbers for TensorBoard."""

import os

import numpy as np
import tensorflow as tf


class Writer:
    """Writes numbers to a log file of TensorBoard.

    Args:
        log_dir: Folder of the log file, created if needed.
    """

    def __init__(self, log_dir: str | os.PathLike):
        self._writer = tf.summary.create_file_writer(os.fspath(log_dir))

    def write(self, numbers: dict[str, float], step: int) -> None:
        """Write finite numbers at a step."""
        with self._writer.as_default():
            for name, number in numbers.items():
                if np.isfinite(number):
                    value = tf.constant(number, tf.float32)
                    tf.summary.write(name, value, step, metadata=_SCALAR)
        self._writer.flush()


# `tf.summary.scalar` would need the package tensorboard.
_SCALAR = tf.compat.v1.SummaryMetadata(
    plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars")
)
