"""One step of DeepFool, to the nearest face of the linearized classifier's region."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from dfal_keras.backend import classifier, logit_gradients, memory, tracing

_MAX_BATCH_SIZE = 128


def choose_batch_size(model, sample_shape: tuple, num_compared: int) -> int:
    """Return how many images to attack at a time."""
    content = logit_gradients.memory_per_image(num_compared - 1)
    return memory.batch_size(model, sample_shape, maximum=_MAX_BATCH_SIZE, **content)


@tracing.cached_per_model
def traced_step(
    model,
    sample_shape: tuple,
    num_compared: int,
    ord: float,
    overshoot: float,
    bounds: tuple,
) -> Callable:
    """Return a step of `deepfool`, and the prediction after it, traced once.

    Args:
        model: A Keras classifier, or a function from images to logits.
        sample_shape: Shape of an image.
        num_compared: Number of classes that are compared for each image, the predicted
            class included.
        ord: p of the norm of a step, from 1 to infinity.
        overshoot: Fraction by which to go beyond the boundary.
        bounds: `(low, high)` of valid pixels.

    Returns:
        A function of four tensors: flat images; their perturbations so far, flat; the
        classes to compare, of shape `(batch_size, num_compared)`, the predicted class
        first; and the lengths to add to the step of each image. It returns four
        tensors: the new perturbations; the changes of the images, with overshoot and
        bounds; whether a finite step was found; and the class predicted after the
        step, -1 if the logits are not finite.
    """
    logits = classifier.logits_for_gradients(model)
    low, high = bounds

    def perturbed(images, perturbations):
        return tf.clip_by_value(images + (1 + overshoot) * perturbations, low, high)

    def step(images, perturbations, classes, offsets):
        current = perturbed(images, perturbations)
        differences, normals = logit_gradients.margins(
            logits, tf.reshape(current, (-1, *sample_shape)), classes
        )
        distances, directions = _nearest_face(differences, normals, ord)
        has_step = tf.math.is_finite(distances)
        # Without a step, the direction may be NaN, which a cast would make an integer.
        steps = (distances + offsets)[:, None] * directions
        perturbations += tf.where(has_step[:, None], steps, 0)
        current = perturbed(images, perturbations)
        outputs = logits(tf.reshape(current, (-1, *sample_shape)))
        is_finite = tf.reduce_all(tf.math.is_finite(outputs), axis=1)
        predicted = tf.argmax(outputs, axis=1, output_type=tf.int32)
        predicted = tf.where(is_finite, predicted, -1)
        return perturbations, current - images, has_step, predicted

    num_pixels = int(np.prod(sample_shape))
    return tracing.traced(
        step,
        ((num_pixels,), "float32"),
        ((num_pixels,), "float32"),
        ((num_compared,), "int32"),
        ((), "float32"),
    )


def _nearest_face(differences, normals, ord):
    """Find the nearest zero of linear functions.

    Args:
        differences: Values g_k of the functions, of shape `(batch_size, num_faces)`.
        normals: Their gradients, of shape `(batch_size, num_faces, num_pixels)`.
        ord: p of the norm that measures distances.

    Returns:
        The distance to the nearest face, of shape `(batch_size,)`, infinite if there
        is none; and the unit step towards it, of shape `(batch_size, num_pixels)`.
    """
    dual_norms, unit_steps = _steepest(normals, ord)
    reachable = tf.math.is_finite(dual_norms) & (dual_norms > 0)
    distances = tf.where(reachable, tf.abs(differences) / dual_norms, np.inf)
    nearest = tf.argmin(distances, axis=1)
    return tf.gather(distances, nearest, batch_dims=1), unit_steps(nearest)


def _steepest(normals, ord):
    """Compute dual norms, and the unit L_p steps of steepest ascent.

    Args:
        normals: Float tensor of shape `(batch_size, num_faces, num_pixels)`.
        ord: p of the norm in which a step has length one.

    Returns:
        The dual norms, of shape `(batch_size, num_faces)`, and a function from the
        index of one face for each sample to the steps, of shape
        `(batch_size, num_pixels)`.
    """
    # Scale the largest entry to one, so that no power overflows or underflows.
    scales = tf.reduce_max(tf.abs(normals), axis=2)
    scaled = tf.math.divide_no_nan(normals, scales[..., None])
    if ord == 1:
        norms = tf.ones_like(scales)
    else:
        dual = 1.0 if ord == np.inf else ord / (ord - 1)
        norms = tf.reduce_sum(tf.abs(scaled) ** dual, axis=2) ** (1 / dual)

    def unit_steps(faces):
        normal = tf.gather(scaled, faces, batch_dims=1)
        if ord == 1:  # change only the pixel with the largest gradient
            pixel = tf.argmax(tf.abs(normal), axis=1)
            return tf.sign(normal) * tf.one_hot(pixel, tf.shape(normal)[1])
        length = tf.gather(norms, faces, batch_dims=1)[:, None]
        return tf.sign(normal) * (tf.abs(normal) / length) ** (dual - 1)

    return scales * norms, unit_steps
