"""Labeling in a notebook, with ipywidgets."""

import html
from collections.abc import Sequence

from dfal_keras.labeling.formats.answer import CANT_TELL, Answer
from dfal_keras.labeling.formats.queried_image import QueriedImage
from dfal_keras.labeling.views import page as labeling_page
from dfal_keras.labeling.views import png


def label(queried: Sequence[QueriedImage], classes: Sequence[str]) -> "NotebookLabeler":
    """Return a widget with which to label images in a notebook.

    Args:
        queried: The images to label, in the order in which they are shown.
        classes: The names of the classes.

    Raises:
        ValueError: If the arguments are such that `page.write_page` raises.
        ImportError: If ipywidgets is not installed.
    """
    return NotebookLabeler(queried, classes)


class NotebookLabeler:
    """Buttons to label images, see `label`; `answers` is what was answered so far."""

    def __init__(self, queried, classes):
        try:
            import ipywidgets
        except ImportError as error:
            message = 'The labeler needs ipywidgets: pip install "dfal-keras[notebook]"'
            raise ImportError(message) from error
        labeling_page.check_queried(queried, classes)

        def button(text, action, argument):
            made = ipywidgets.Button(description=text)
            made.on_click(lambda _: action(argument))
            return made

        self._queried, self._labels = queried, [image.label for image in queried]
        self._changes = []  # positions, and the labels that they had before
        self._make_image = ipywidgets.Image
        self.text, self.images = ipywidgets.HTML(), ipywidgets.HBox()
        self.class_buttons = {
            name: button(name, self._answer, name) for name in classes
        }
        self.cannot_tell = button("Can't tell", self._answer, CANT_TELL)
        self.previous = button("Previous", self._move, -1)
        self.next = button("Next", self._move, 1)
        self.undo = button("Undo", self._undo, None)
        answers = [*self.class_buttons.values(), self.cannot_tell]
        rows = [answers, [self.previous, self.next, self.undo]]
        boxes = [ipywidgets.HBox(row, layout={"flex_flow": "row wrap"}) for row in rows]
        self.box = ipywidgets.VBox([self.text, self.images, *boxes])
        self._show(0)

    @property
    def answers(self) -> list[Answer]:
        """The answers; their label is `None` where the annotator can't tell."""
        return [
            Answer(image.file, image.sha256, None if name == CANT_TELL else name)
            for image, name in zip(self._queried, self._labels, strict=True)
            if name
        ]

    def _ipython_display_(self):
        from IPython.display import display

        display(self.box)

    def _answer(self, name):
        self._changes.append((self._current, self._labels[self._current]))
        self._labels[self._current] = name
        positions = range(len(self._labels))
        following = [*positions[self._current :], *positions]
        self._show(next((i for i in following if not self._labels[i]), self._current))

    def _undo(self, _):
        if self._changes:
            position, before = self._changes.pop()
            self._labels[position] = before
            self._show(position)

    def _move(self, step):
        self._show(min(max(self._current + step, 0), len(self._labels) - 1))

    def _show(self, position):
        self._current, image = position, self._queried[position]
        count = f"{position + 1} of {len(self._labels)}, {len(self.answers)} answered"
        name = self._labels[position] or "which class?"
        self.text.value = html.escape(f"{count} | {image.file}: {name}")
        scale = max(1, 280 // max(image.image.shape[:2]))  # small images are enlarged
        self.images.children = [
            self._make_image(value=png.encode(pixels.repeat(scale, 0).repeat(scale, 1)))
            for pixels in (image.image, image.adversarial_example)
            if pixels is not None
        ]
