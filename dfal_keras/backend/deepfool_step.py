"""One step of DeepFool: to the nearest face of a classifier's linearization."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from dfal_keras.backend import classifier, gradients, tracing


@tracing.once_per_model
def compiled_step(
    model,
    sample_shape: tuple,
    num_compared: int,
    ord: float,
    overshoot: float,
    bounds: tuple,
) -> Callable:
    """Compile a step of `deepfool`, with the prediction at the place it leads to.

    Args:
        model: A Keras classifier, or a function from images to logits.
        sample_shape: Shape of an image.
        num_compared: How many classes each image is compared with, its own included.
        ord: p of the norm of a step, from 1 to infinity.
        overshoot: By what share to go beyond the boundary.
        bounds: `(low, high)` of valid pixels.

    Returns:
        A graph, traced once, of four tensors: images and the perturbations so far,
        both flat; the classes of each image, of shape `(batch_size, num_compared)`, its
        own first; and what to add to the length of each step. It returns the
        perturbations, one step on; how the images change by them, overshoot and bounds
        included; whether there was a step to take; and the class predicted there, -1
        if the logits are not finite.
    """
    logits = classifier.logits(model)
    low, high = bounds

    def changed(images, totals):
        return tf.clip_by_value(images + (1 + overshoot) * totals, low, high)

    def step(images, totals, classes, offsets):
        attacked = tf.reshape(changed(images, totals), (-1, *sample_shape))
        differences, normals = gradients.margins(logits, attacked, classes)
        distances, directions = _nearest_face(differences, normals, ord)
        has_step = tf.math.is_finite(distances)
        lengths = tf.where(has_step, distances + offsets, 0)
        totals += lengths[:, None] * directions
        attacked = changed(images, totals)
        outputs = logits(tf.reshape(attacked, (-1, *sample_shape)))
        is_finite = tf.reduce_all(tf.math.is_finite(outputs), axis=1)
        best = tf.argmax(outputs, axis=1, output_type=tf.int32)
        return totals, attacked - images, has_step, tf.where(is_finite, best, -1)

    flat = (int(np.prod(sample_shape)),)
    return tracing.graph(
        step,
        (flat, "float32"),
        (flat, "float32"),
        ((num_compared,), "int32"),
        ((), "float32"),
    )


def _nearest_face(differences, normals, ord):
    """Find the nearest face of the region of linear functions an image lies in.

    Args:
        differences: Values g_k of the functions, of shape `(batch_size, num_faces)`.
        normals: Their gradients, of shape `(batch_size, num_faces, num_pixels)`.
        ord: p of the norm in which to measure.

    Returns:
        The distance of the nearest, infinite if there is none, and the unit step
        towards it.
    """
    lengths, units = _steepest(normals, ord)
    reachable = tf.math.is_finite(lengths) & (lengths > 0)
    distances = tf.where(reachable, tf.abs(differences) / lengths, np.inf)
    nearest = tf.argmin(distances, axis=1)
    return tf.gather(distances, nearest, batch_dims=1), units(nearest)


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
