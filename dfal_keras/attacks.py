"""DeepFool: the smallest perturbation that changes a classifier's mind, in batches."""

import dataclasses
import numbers

import numpy as np
import tensorflow as tf

from dfal_keras import compiled, gradients, inference, validation, views


@dataclasses.dataclass(frozen=True, repr=False)
class DeepFoolResult:
    """What `deepfool` found for each image.

    Attributes:
        perturbations: Float32 array shaped like the images: image + perturbation is
            the adversarial example. Zero where the attack failed.
        norms: Float32 array of shape `(num_samples,)`, the L_p norm of each
            perturbation in units of a pixel; infinity where the attack failed.
        success: Bool array of shape `(num_samples,)`: was the model fooled?
        num_steps: Int array of shape `(num_samples,)`, linearisations used.
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
    batch_size: int = 128,
) -> DeepFoolResult:
    """Find a small perturbation of each image that changes its predicted class.

    At every step the logits f are linearised. With c the class predicted for x,
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
        batch_size: How many images to attack at a time.

    Returns:
        A `DeepFoolResult`. A sample that is not fooled in `max_steps`, or where the
        gradient is zero or not finite, has norm infinity and `success` False; it
        never spoils the others.

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
    bounds = _check_options(ord, overshoot, bounds, num_classes, step_offset)
    validation.check_count("max_steps", max_steps)
    validation.check_count("batch_size", batch_size)
    views.check_model(model)
    sample_shape = views.sample_shape(model)
    validation.check_images("x", x, sample_shape=sample_shape, finite=False)
    first = inference.predict_logits(model, x[:8], finite=False)
    if inference.are_probabilities(first):
        raise ValueError(
            "Argument `model` must return logits, or end in a softmax that can be "
            "looked behind; give the function that computes its logits instead. "
            "Received: a model whose outputs are probabilities"
        )
    num_compared = min(num_classes or first.shape[1], first.shape[1])
    if num_compared < 2:
        raise ValueError(
            "Argument `model` must tell at least two classes apart. "
            f"Received: a model of {num_compared} outputs"
        )
    sample_shape = tuple(x.shape[1:])
    nearest_face = _compiled_nearest_face(model, sample_shape, num_compared, float(ord))

    num_samples = x.shape[0]
    total = np.zeros((num_samples, int(np.prod(sample_shape))), np.float32)
    classes = np.zeros((num_samples, num_compared), np.int32)
    norms = np.full(num_samples, np.inf, np.float32)
    num_steps = np.zeros(num_samples, int)

    # The batch is a queue: whoever is done leaves, and the next image comes in.
    live, num_started = np.arange(0), 0
    while live.size or num_started < num_samples:
        joining = np.arange(num_started, num_samples)[: batch_size - live.size]
        num_started += joining.size
        live = np.concatenate([live, joining])

        images = np.asarray(x[live], np.float32).reshape(live.size, -1)
        attacked = np.clip(images + np.float32(1 + overshoot) * total[live], *bounds)
        outputs = inference.predict_logits(
            model,
            attacked.reshape(-1, *sample_shape),
            batch_size=batch_size,
            finite=False,
        )
        ranked = np.argsort(-outputs, axis=1, kind="stable")
        is_new = live >= num_started - joining.size
        classes[live[is_new]] = ranked[is_new, :num_compared]

        finite = np.isfinite(outputs).all(axis=1)
        fooled = finite & (ranked[:, 0] != classes[live, 0])
        total[live[fooled]] = (attacked - images)[fooled]
        norms[live[fooled]] = np.linalg.norm(total[live[fooled]], ord, axis=1)

        # Only whoever is not fooled yet is worth a Jacobian.
        goes_on = finite & ~fooled & (num_steps[live] < max_steps)
        lost = live[~goes_on & ~fooled]
        images, attacked, live = images[goes_on], attacked[goes_on], live[goes_on]
        if live.size:
            distances, directions = (
                tensor.numpy()
                for tensor in nearest_face(
                    attacked.reshape(-1, *sample_shape), classes[live]
                )
            )
            if step_offset is None:
                distances += _RESOLUTION * np.linalg.norm(images, ord, axis=1)
            else:
                distances += step_offset
            has_face = np.isfinite(distances)
            lost = np.concatenate([lost, live[~has_face]])
            live = live[has_face]
            total[live] += distances[has_face, None] * directions[has_face]
            num_steps[live] += 1
        total[lost] = 0

    return DeepFoolResult(total.reshape(x.shape), norms, np.isfinite(norms), num_steps)


_RESOLUTION = np.finfo(np.float32).eps


@compiled.once_per_model
def _compiled_nearest_face(model, sample_shape, num_compared, ord):
    """Compile the search for the nearest face of the region an image lies in.

    The graph takes images and their classes, of shape `(batch_size, num_compared)`,
    the class of the region first, and returns the distance to the nearest face of the
    linearised region, infinite if there is none, and the unit step towards it.
    """
    logits = views.logits(model)

    def nearest_face(images, classes):
        differences, normals = gradients.margins(logits, images, classes)
        lengths, units = _steepest(normals, ord)
        reachable = tf.math.is_finite(lengths) & (lengths > 0)
        distances = tf.where(reachable, tf.abs(differences) / lengths, np.inf)
        nearest = tf.argmin(distances, axis=1)
        return tf.gather(distances, nearest, batch_dims=1), units(nearest)

    return compiled.graph(
        nearest_face, (sample_shape, "float32"), ((num_compared,), "int32")
    )


def _steepest(normals, ord):
    """Dual norms of the normals, and the unit L_p steps that climb them fastest.

    Args:
        normals: Float tensor of shape `(batch_size, num_faces, num_pixels)`.
        ord: p of the norm in which a step has length one.

    Returns:
        The dual norms, of shape `(batch_size, num_faces)`, and a function that
        returns the step for one face of each sample.
    """
    # Scaled to a largest entry of one first, so that no power over- or underflows.
    scales = tf.reduce_max(tf.abs(normals), axis=2)
    scaled = tf.math.divide_no_nan(normals, scales[..., None])
    if ord == 1:
        norms = tf.ones_like(scales)
    else:
        dual = 1.0 if ord == np.inf else ord / (ord - 1)
        norms = tf.reduce_sum(tf.abs(scaled) ** dual, axis=2) ** (1 / dual)

    def units(faces):
        normal = tf.gather(scaled, faces, batch_dims=1)
        if ord == 1:  # all along the one pixel that counts most
            pixel = tf.argmax(tf.abs(normal), axis=1)
            return tf.sign(normal) * tf.one_hot(pixel, tf.shape(normal)[1])
        length = tf.gather(norms, faces, batch_dims=1)[:, None]
        return tf.sign(normal) * (tf.abs(normal) / length) ** (dual - 1)

    return scales * norms, units


def _check_options(ord, overshoot, bounds, num_classes, step_offset):
    """Check `deepfool`'s numbers; return the bounds, infinite if there are none."""
    if not isinstance(ord, numbers.Real) or not ord >= 1:
        raise ValueError(
            f"Argument `ord` must be a number from 1 to infinity. Received: ord={ord!r}"
        )
    for name, value in (("overshoot", overshoot), ("step_offset", step_offset or 0)):
        if not isinstance(value, numbers.Real) or not 0 <= value < np.inf:
            raise ValueError(
                f"Argument `{name}` must be a finite number of at least 0. "
                f"Received: {name}={value!r}"
            )
    if num_classes is not None:
        validation.check_count("num_classes", num_classes, minimum=2)
    if bounds is None:
        return -np.inf, np.inf
    if np.shape(bounds) != (2,) or not bounds[0] < bounds[1]:
        raise ValueError(
            "Argument `bounds` must be (low, high) with low < high, or None. "
            f"Received: bounds={bounds!r}"
        )
    return bounds
