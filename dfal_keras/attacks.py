"""DeepFool: the smallest perturbation that changes a classifier's mind, in batches."""

import dataclasses
import itertools
import math
import numbers

import numpy as np

from dfal_keras import _validation
from dfal_keras.backend import classifier, deepfool_step, inference


@dataclasses.dataclass(frozen=True, repr=False)
class DeepFoolResult:
    """What `deepfool` found for each image.

    Attributes:
        perturbations: Float32 array shaped like the images: image + perturbation is
            the adversarial example. Zero where the attack failed.
        norms: Float32 array of shape `(num_samples,)`, the L_p norm of each
            perturbation in units of a pixel; infinity where the attack failed.
        success: Bool array of shape `(num_samples,)`: was the model fooled?
        num_steps: Int array of shape `(num_samples,)`, linearizations used.
    """

    perturbations: np.ndarray
    norms: np.ndarray
    success: np.ndarray
    num_steps: np.ndarray

    def __repr__(self):
        return (
            f"DeepFoolResult({self.success.sum()} of {len(self.success)} fooled, "
            f"median norm {np.median(self.norms):.4g}, "
            f"median steps {np.median(self.num_steps):.0f})"
        )


def deepfool(
    model,
    x,
    *,
    ord: float = 2,
    max_steps: int = 50,
    overshoot: float = 0.02,
    bounds: tuple | None = None,
    num_classes: int | None = None,
    step_offset: float | None = None,
    num_closest: int | None = None,
    first_look: int | None = None,
    batch_size: int = 128,
) -> DeepFoolResult:
    """Find a small perturbation of each image that changes its predicted class.

    At every step the logits f are linearized. With c the class predicted for x,
    `g_k = f_k - f_c`, `w_k = grad g_k` and 1/p + 1/q = 1, the nearest face of c's
    region is `l = argmin_k |g_k| / ||w_k||_q`, and the total perturbation grows by

        r += |g_l| / ||w_l||_q * d,    d = argmax { w_l . d : ||d||_p = 1 }

    (`w_l / ||w_l||` for p = 2, `sign(w_l)` for p = infinity) until x + (1 + overshoot)
    r is predicted otherwise. On a linear model that is `1 + overshoot` times the
    distance to the decision boundary.

    Reference:
        - Moosavi-Dezfooli et al., 2016, "DeepFool: a simple and accurate method to
          fool deep neural networks", Algorithm 2.

    Args:
        model: A Keras classifier with softmax, sigmoid or linear output (the logits
            behind it are found), or a function from images to logits.
        x: Images as the model takes them, of shape `(num_samples, ...)`.
        ord: p of the norm to keep small, from 1 to `np.inf`.
        max_steps: How many steps to try before giving a sample up.
        overshoot: By what share to go beyond the boundary.
        bounds: `(low, high)` of valid pixels, to which the adversarial examples are
            clipped. `None` for no clipping.
        num_classes: Compare only with this many of the classes most likely at x, the
            predicted one included. `None` for all.
        step_offset: Length added to every step, in units of a pixel. By default the
            resolution of float32 at x, just enough for a sample that lies on the
            boundary to get across. DeepFool's authors and Foolbox add 1e-4.
        num_closest: Find only this many smallest perturbations: give an image up once
            it has been moved further than that many others that were fooled. `None`
            for the perturbation of every image.
        first_look: Give up early on a model that can't be fooled: where no image was
            fooled in three steps, attack this many of the closest to the end, and
            give all images up if none of them is fooled. `None` to attack every image.
        batch_size: How many images to attack at a time.

    Returns:
        A `DeepFoolResult`. A sample that is not fooled in `max_steps`, that is given
        up, or where the gradient is zero or not finite, has norm infinity and
        `success` False; it never spoils the others.

    Raises:
        ValueError: If an argument is out of range, or if `model` returns
            probabilities and can't be looked behind.

    Example:
        >>> import dfal_keras as dfal
        >>> (x, _), _ = dfal.datasets.load_data("mnist")
        >>> model = dfal.models.LeNet5((28, 28, 1), 10)
        >>> result = dfal.deepfool(model, x[:4], bounds=(0, 255))
        >>> result.perturbations.shape
        (4, 28, 28, 1)
    """
    limits = _check_options(ord, overshoot, bounds, num_classes, step_offset)
    _validation.check_count("max_steps", max_steps)
    _validation.check_count("batch_size", batch_size)
    for name, count in (("num_closest", num_closest), ("first_look", first_look)):
        if count is not None:
            _validation.check_count(name, count)
    classifier.check_model(model)
    sample_shape = classifier.sample_shape(model)
    _validation.check_images("x", x, sample_shape=sample_shape, finite=False)
    outputs = inference.predict_logits(model, x, finite=False)
    num_compared = _check_outputs(outputs, num_classes)
    step = deepfool_step.compiled_step(
        model, tuple(x.shape[1:]), num_compared, float(ord), float(overshoot), limits
    )
    classes = np.argsort(-outputs, axis=1, kind="stable")[:, :num_compared]
    leads = np.take_along_axis(outputs, classes[:, :2], axis=1) @ (1, -1)

    num_samples, num_pixels = x.shape[0], math.prod(x.shape[1:])
    perturbations = np.zeros((num_samples, num_pixels), np.float32)
    norms = np.full(num_samples, np.inf, np.float32)
    num_steps = np.zeros(num_samples, int)
    closest = np.full(num_closest or 1, np.inf, np.float32)

    # The batch is a queue: whoever is done leaves, and the next image comes in. Those
    # that look close to a boundary come first, since they may spare others the work.
    queue = np.argsort(leads, kind="stable")
    queue = queue[np.isfinite(outputs[queue]).all(axis=1)]
    live = np.arange(0)
    images = totals = np.empty((0, num_pixels), np.float32)
    for iteration in itertools.count(1):
        if not live.size and not queue.size:
            break
        joining, queue = np.split(queue, [batch_size - live.size])
        if joining.size:
            live = np.concatenate([live, joining])
            new = np.asarray(x[joining], np.float32).reshape(-1, num_pixels)
            images = np.concatenate([images, new])
            totals = np.concatenate([totals, np.zeros_like(new)])
        if step_offset is None:
            offsets = _RESOLUTION * np.linalg.norm(images, ord, axis=1)
        else:
            offsets = np.full(live.size, step_offset, np.float32)
        totals, changes, has_step, predicted = (
            tensor.numpy()
            for tensor in step(images, totals, classes[live].astype(np.int32), offsets)
        )
        num_steps[live] += has_step
        lengths = np.linalg.norm(changes, ord, axis=1)
        # A network may swallow the NaN of a pixel; the length does not.
        sound = has_step & (predicted >= 0) & np.isfinite(lengths)
        fooled = sound & (predicted != classes[live, 0])
        perturbations[live[fooled]] = changes[fooled]
        norms[live[fooled]] = lengths[fooled]

        goes_on = sound & ~fooled & (num_steps[live] < max_steps)
        if num_closest is not None:
            closest = np.sort(np.append(closest, lengths[fooled]))[:num_closest]
            goes_on &= lengths <= closest[-1]
        live, images, totals = live[goes_on], images[goes_on], totals[goes_on]

        # The look starts anew and leaves no trace: if it finds a way across, what
        # follows is what follows without a look.
        left = np.concatenate([live, queue])
        few = left[:first_look]
        is_due = first_look is not None and iteration == _STEPS_BEFORE_LOOK
        if is_due and len(left) > len(few) and np.isinf(norms).all():
            look = deepfool(
                *(model, x[few]),
                ord=ord,
                max_steps=max_steps,
                overshoot=overshoot,
                bounds=bounds,
                num_classes=num_classes,
                step_offset=step_offset,
                num_closest=1,
            )
            if not look.success.any():
                break

    if num_closest is not None:  # whoever finished while the line was still drawn out
        late = np.isfinite(norms) & (norms > closest[-1])
        perturbations[late], norms[late] = 0, np.inf
    return DeepFoolResult(
        perturbations.reshape(x.shape), norms, np.isfinite(norms), num_steps
    )


_STEPS_BEFORE_LOOK = 3
_RESOLUTION = np.finfo(np.float32).eps


def _check_options(ord, overshoot, bounds, num_classes, step_offset):
    """Check `deepfool`'s numbers; return the bounds, infinite if there are none."""
    if not isinstance(ord, numbers.Real) or not ord >= 1:
        raise ValueError(
            f"Argument `ord` must be a number from 1 to infinity. Received: ord={ord!r}"
        )
    offset = 0 if step_offset is None else step_offset
    for name, value in (("overshoot", overshoot), ("step_offset", offset)):
        if not isinstance(value, numbers.Real) or not 0 <= value < np.inf:
            raise ValueError(
                f"Argument `{name}` must be a finite number of at least 0. "
                f"Received: {name}={value!r}"
            )
    if num_classes is not None:
        _validation.check_count("num_classes", num_classes, minimum=2)
    if bounds is None:
        return -np.inf, np.inf
    is_pair = np.shape(bounds) == (2,) and np.asarray(bounds).dtype.kind in "buif"
    if not is_pair or not bounds[0] < bounds[1]:
        raise ValueError(
            "Argument `bounds` must be (low, high) with low < high, or None. "
            f"Received: bounds={bounds!r}"
        )
    return float(bounds[0]), float(bounds[1])


def _check_outputs(outputs, num_classes):
    """Check that a model returns logits; return how many classes to compare."""
    inference.check_logits(outputs)
    num_compared = min(num_classes or outputs.shape[1], outputs.shape[1])
    if num_compared < 2:
        raise ValueError(
            "Argument `model` must tell at least two classes apart. "
            f"Received: a model of {num_compared} outputs"
        )
    return num_compared
