"""Which question of a Label Studio project asks for the class of an image."""

from collections.abc import Collection, Mapping, Sequence

from dfal_keras.labeling.formats.answer import CANT_TELL
from dfal_keras.labeling.formats.label_studio_tasks import CHOICE

# Names of the question: that of `labeling_config` and that of Label Studio's own
# template for image classification.
NAMES = (CHOICE, "choice")


def choose(
    choices: Mapping[str, Collection[str]], classes: Sequence[str] | None
) -> str | None:
    """Return the name of the question that asks for the class.

    It is the only one, or the only one whose choices are all classes, or the only one
    with a choice that is a class, or one with a usual name.

    Args:
        choices: All choices in a file, by the name of their question.
        classes: Names of the classes, `None` if they are unknown.

    Returns:
        The name, `None` if there is no question.

    Raises:
        ValueError: If several questions fit, or none does.

    Example:
        >>> choose({"animal": ["cat", "dog"], "light": ["day"]}, ["cat", "dog"])
        'animal'
    """
    if len(choices) < 2:
        return next(iter(choices), None)
    known = {CANT_TELL, *(classes or ())}
    labels = {name: {str(c).strip() for c in found} for name, found in choices.items()}
    for fitting in (
        [name for name, found in labels.items() if found <= known],
        [name for name, found in labels.items() if found & known - {CANT_TELL}],
        [name for name in NAMES if name in labels][:1],
    ):
        if len(fitting) == 1:
            return fitting[0]
    listed = "; ".join(
        f"{name!r:.40} with {', '.join(sorted(found))!r:.80}"
        for name, found in labels.items()
    )
    raise ValueError(
        "expected one question whose choices are classes of the session, or that is "
        f"named {' or '.join(map(repr, NAMES))}, received {listed}"
    )


def choose_field(
    choices: Mapping[str, Collection[str]], classes: Sequence[str] | None
) -> str | None:
    """Return the name of the question that asks for the class, among other data.

    Args:
        choices: All texts in a file, by the name of their field. Fields without a
            class and without a usual name are no questions for the class.
        classes: Names of the classes, `None` if they are unknown.

    Returns:
        The name, `None` if there is no such question.

    Raises:
        ValueError: If several questions fit.

    Example:
        >>> choose_field({"title": ["A cat"], "animal": ["cat", "cow"]}, ["cat", "dog"])
        'animal'
    """
    known = set(classes or ())
    fitting = {
        name: found
        for name, found in choices.items()
        if name in NAMES or known & {each.strip() for each in found}
    }
    return choose(fitting, classes)
