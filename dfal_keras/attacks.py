"""DeepFool: small perturbations that change a classifier's predictions, in batches."""

import dataclasses
import math

import numpy as np

from dfal_keras import _validation
from dfal_keras.backend import (
    classifier,
    deepfool_step,
    inference,
    logit_gradients,
)


@dataclasses.dataclass(frozen=True, repr=False)
class DeepFoolResult:
    """Results of `deepfool`.

    Attributes:
        perturbations: Float32 array with the shape of the images. Image plus
            perturbation is the adversarial example. Zero where the attack failed.
        norms: Float32 array of shape `(num_samples,)`, the L_p norm of each
            perturbation, in the units of the pixels. Infinity where the attack failed.
        success: Bool array of shape `(num_samples,)`, whether the prediction changed.
        num_steps: Int array of shape `(num_samples,)`, number of steps taken.
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
    batch_size: int | None = None,
) -> DeepFoolResult:
    """Find a small perturbation of each image that changes its predicted class.

    Each step linearizes the logits f. With c the class predicted for x,
    `g_k = f_k - f_c`, `w_k = grad g_k` and 1/p + 1/q = 1, the nearest face of c's
    region is `l = argmin_k |g_k| / ||w_k||_q`, and the perturbation grows by

        r += |g_l| / ||w_l||_q * d,    d = argmax { w_l . d : ||d||_p = 1 }

    (`w_l / ||w_l||` for p = 2, `sign(w_l)` for p = infinity) until the predicted class
    of x + (1 + overshoot) r is not c. On a linear model the perturbation's norm is
    `1 + overshoot` times the distance to the decision boundary.

    On a GPU, TensorFloat-32 makes norms less precise.
    `tf.config.experimental.enable_tensor_float_32_execution(False)` turns it off.

    Reference:
        - Moosavi-Dezfooli et al., 2016, "DeepFool: a simple and accurate method to
          fool deep neural networks", Algorithm 2.

    Args:
        model: A Keras classifier with softmax, sigmoid or linear output, whose logits
            are found automatically, or a function from images to logits.
        x: Images as the model takes them, of shape `(num_samples, ...)`.
        ord: p of the norm to minimize, from 1 to `np.inf`. Defaults to 2.
        max_steps: Maximum number of steps for an image. Defaults to 50.
        overshoot: Fraction by which to go beyond the boundary. Defaults to 0.02.
        bounds: `(low, high)` of valid pixels, to which adversarial examples are
            clipped. Defaults to `None`, no clipping.
        num_classes: Compare only this many of the most likely classes of x, the
            predicted class included. Defaults to `None`: all classes of a model with
            up to 10, and the 10 most likely of others, as DeepFool's authors do.
        step_offset: Length to add to each step, in the units of the pixels. Defaults
            to `None`, the float32 resolution at x, so that a sample on the boundary
            crosses it. DeepFool's authors and Foolbox add 1e-4.
        num_closest: Find only this many of the smallest perturbations: give up an image
            once this many others have been fooled by smaller perturbations. Defaults to
            `None`, all perturbations.
        first_look: If no image is fooled within three steps, finish the attack on the
            `first_look` closest ones; if none of them is fooled either, give up on
            all. Defaults to `None`, attack every image.
        batch_size: Number of images to attack at a time. Defaults to `None`: up to
            128, as far as the model's activations fit in about 1 GB.

    Returns:
        A `DeepFoolResult`. If an image is not fooled in `max_steps`, if its attack is
        stopped, or if its gradients are zero or not finite, its norm is infinity and
        its `success` is False. Other images are not affected.

    Raises:
        ValueError: If an argument is invalid, or if `model` returns probabilities and
            its logits are not accessible.

    Example:
        >>> import dfal_keras as dfal
        >>> (x, _), _ = dfal.datasets.load_data("mnist")
        >>> model = dfal.models.LeNet5((28, 28, 1), 10)
        >>> result = dfal.deepfool(model, x[:4], bounds=(0, 255))
        >>> result.perturbations.shape
        (4, 28, 28, 1)
    """
    options = DeepFoolOptions(
        ord=ord,
        max_steps=max_steps,
        overshoot=overshoot,
        bounds=bounds,
        num_classes=num_classes,
        step_offset=step_offset,
        num_closest=num_closest,
        first_look=first_look,
        batch_size=batch_size,
    )
    classifier.check_model(model)
    classifier.check_real_inputs(model)
    sample_shape = classifier.sample_shape(model)
    _validation.check_images("x", x, sample_shape=sample_shape, finite=False)
    return attack(model, x, options)


@dataclasses.dataclass(frozen=True, kw_only=True)
class DeepFoolOptions:
    """Options of `deepfool`, which documents them, checked at construction.

    Raises:
        ValueError: If an option is invalid.
    """

    ord: float = 2
    max_steps: int = 50
    overshoot: float = 0.02
    bounds: tuple | None = None
    num_classes: int | None = None
    step_offset: float | None = None
    num_closest: int | None = None
    first_look: int | None = None
    batch_size: int | None = None

    def __post_init__(self):
        _validation.check_number("ord", self.ord, minimum=1)
        _validation.check_count("max_steps", self.max_steps)
        _validation.check_number("overshoot", self.overshoot, minimum=0, below=np.inf)
        _validation.check_bounds("bounds", self.bounds)
        if self.num_classes is not None:
            _validation.check_count("num_classes", self.num_classes, minimum=2)
        if self.step_offset is not None:
            _validation.check_number(
                "step_offset", self.step_offset, minimum=0, below=np.inf
            )
        for name in ("num_closest", "first_look", "batch_size"):
            _validation.check_optional_count(name, getattr(self, name))


def attack(
    model, x, options: DeepFoolOptions, *, finite: bool = False
) -> DeepFoolResult:
    """Run DeepFool on a model and images that are already checked.

    Args:
        model: A classifier that passes `classifier.check_model`.
        x: Images that fit the model, of shape `(num_samples, ...)`.
        options: Options of the attack.
        finite: Whether to raise an error if the model's logits of an image are NaN or
            infinite, instead of a failed attack. Defaults to `False`.

    Returns:
        A `DeepFoolResult`; see `deepfool`.

    Raises:
        ValueError: If the model does not return logits of at least two classes, or if
            they are not finite and `finite` is True.
    """
    logits = inference.predict_logits(
        model, x, batch_size=options.batch_size, finite=finite
    )
    num_compared = logit_gradients.num_compared(logits.shape[1], options.num_classes)
    if num_compared < 2:
        raise _validation.ArgumentError(
            "model",
            "must return logits of at least two classes. "
            f"Received: a model with {num_compared} outputs",
        )
    sample_shape = tuple(x.shape[1:])
    if options.batch_size is None:
        size = deepfool_step.choose_batch_size(model, sample_shape, num_compared)
        options = dataclasses.replace(options, batch_size=size)
    step = deepfool_step.traced_step(
        model,
        sample_shape,
        num_compared,
        float(options.ord),
        float(options.overshoot),
        _validation.check_bounds("bounds", options.bounds),
    )
    classes = np.argsort(-logits, axis=1, kind="stable")[:, :num_compared]
    margins = np.take_along_axis(logits, classes[:, :2], axis=1) @ (1, -1)
    # Images near a boundary first: the cutoff of `num_closest` then tightens early.
    order = np.argsort(margins, kind="stable")
    order = order[np.isfinite(logits[order]).all(axis=1)]
    return _Attack(step, x, classes, order, options).run()


class _Attack:
    """Attack images in batches, replacing finished images from a queue.

    Args:
        step: See `deepfool_step.traced_step`.
        x: Images, of shape `(num_samples, ...)`.
        classes: Int array of shape `(num_samples, num_compared)`, the classes to
            compare for each image, the predicted class first.
        order: Int array, the rows of `x` to attack, in this order.
        options: A `DeepFoolOptions`.
    """

    def __init__(self, step, x, classes, order, options):
        num_samples, num_pixels = x.shape[0], math.prod(x.shape[1:])
        self._step, self._x, self._classes = step, x, classes
        self._options = options
        # Rows of the batch, their images and their perturbations; the rows to come.
        self._rows, self._queue = np.arange(0), order
        self._images = self._totals = np.empty((0, num_pixels), np.float32)
        # Sorted norms of the `num_closest` smallest perturbations.
        self._closest = np.full(options.num_closest or 1, np.inf, np.float32)
        self._perturbations = np.zeros((num_samples, num_pixels), np.float32)
        self._norms = np.full(num_samples, np.inf, np.float32)
        self._num_steps = np.zeros(num_samples, int)

    def run(self) -> DeepFoolResult:
        """Attack all images."""
        num_iterations = 0
        while len(self._rows) or len(self._queue):
            self._refill()
            self._advance()
            num_iterations += 1
            if num_iterations == _STEPS_BEFORE_LOOK and self._is_hopeless():
                break
        if self._options.num_closest is not None:
            # Discard images that succeeded before the cutoff tightened.
            late = np.isfinite(self._norms) & (self._norms > self._closest[-1])
            self._perturbations[late], self._norms[late] = 0, np.inf
        return DeepFoolResult(
            self._perturbations.reshape(self._x.shape),
            self._norms,
            np.isfinite(self._norms),
            self._num_steps,
        )

    def _refill(self):
        """Fill the batch from the queue."""
        num_free = self._options.batch_size - len(self._rows)
        rows, self._queue = np.split(self._queue, [num_free])
        if len(rows):
            images = np.asarray(self._x[rows], np.float32).reshape(len(rows), -1)
            self._rows = np.concatenate([self._rows, rows])
            self._images = np.concatenate([self._images, images])
            self._totals = np.concatenate([self._totals, np.zeros_like(images)])

    def _advance(self):
        """Move the batch by one step, and remove finished images from it."""
        options, rows = self._options, self._rows
        self._totals, changes, has_step, predicted = (
            tensor.numpy()
            for tensor in self._step(
                self._images,
                self._totals,
                self._classes[rows].astype(np.int32),
                self._offsets(),
            )
        )
        self._num_steps[rows] += has_step
        lengths = lp_norms(changes, options.ord)
        # Logits may be finite for a NaN pixel, for example after a ReLU; norms are not.
        is_valid = has_step & (predicted >= 0) & np.isfinite(lengths)
        fooled = is_valid & (predicted != self._classes[rows, 0])
        self._perturbations[rows[fooled]] = changes[fooled]
        self._norms[rows[fooled]] = lengths[fooled]
        remains = is_valid & ~fooled & (self._num_steps[rows] < options.max_steps)
        if options.num_closest is not None:
            closest = np.sort(np.append(self._closest, lengths[fooled]))
            self._closest = closest[: options.num_closest]
            remains &= lengths <= self._closest[-1]
        self._rows = rows[remains]
        self._images, self._totals = self._images[remains], self._totals[remains]

    def _offsets(self):
        """Return the lengths to add to the steps of the batch."""
        if self._options.step_offset is not None:
            return np.full(len(self._rows), self._options.step_offset, np.float32)
        return _RESOLUTION * lp_norms(self._images, self._options.ord)

    def _is_hopeless(self):
        """Return whether no image is fooled so far, nor in a first look."""
        size = self._options.first_look
        remaining = np.concatenate([self._rows, self._queue])
        if size is None or len(remaining) <= size or np.isfinite(self._norms).any():
            return False
        # A new attack: if it succeeds, this one continues as without a first look.
        rows = remaining[:size]
        options = dataclasses.replace(self._options, num_closest=1, first_look=None)
        look = _Attack(
            self._step, self._x[rows], self._classes[rows], np.arange(size), options
        )
        return not look.run().success.any()


def lp_norms(vectors: np.ndarray, ord: float) -> np.ndarray:
    """Return the L_p norm of each row, without overflow or underflow of powers."""
    if ord in (1, 2, np.inf):
        return np.linalg.norm(vectors, ord, axis=1)
    # Scale the largest entry to one, so that no power overflows or underflows.
    scales = np.abs(vectors).max(axis=1)
    scaled = vectors / np.where(scales > 0, scales, 1)[:, None]
    return scales * np.linalg.norm(scaled, ord, axis=1)


_STEPS_BEFORE_LOOK = 3
_RESOLUTION = np.finfo(np.float32).eps
