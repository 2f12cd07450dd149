"""The commands of a session by name."""

from collections.abc import Callable

from dfal_keras.cli import labeling_commands, model_commands

COMMANDS: dict[str, Callable] = {
    "init": labeling_commands.init,
    "import": labeling_commands.tell,
    "ask": labeling_commands.ask,
    "tell": labeling_commands.tell,
    "check": labeling_commands.check,
    "label": labeling_commands.label,
    "train": model_commands.train,
    "status": model_commands.status,
    "predict": model_commands.predict,
}
