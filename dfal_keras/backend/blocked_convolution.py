"""A faster gradient of convolutions with respect to inputs of few channels.

The gradient of a convolution with respect to its input is a convolution with as many
output channels as the input has: one or three for an image. A CPU's vector units
process up to sixteen numbers at once, so most of each unit is idle, and in LeNet5 the
first layer takes half of the time of a backward pass. This module computes a block of
neighboring pixels at once, as channels of a convolution whose stride is the block size.
Each sum has the same terms, plus zeros, so the result is equal up to rounding.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import ops

from dfal_keras.backend import keras_graph

_BLOCK_SIZES = {1: 4, 2: 2, 3: 2}  # by channels: 16, 8 and 12 numbers at once


def call(each: keras_graph.Call, values: Sequence):
    """Call an operation of a graph, with this module's gradient by its input.

    Args:
        each: A call. Convolutions inside nested models, or of a form that this module
            does not support, are called unchanged.
        values: The tensors to call it on.

    Returns:
        The same outputs as in inference mode.
    """
    if len(values) == 1 and _is_supported(each.operation, values[0]):
        return _BlockedConv2D(each.operation)(values[0])
    return keras_graph.call_in_inference(each, values)


class _BlockedConv2D(keras.layers.Layer):
    """A `keras.layers.Conv2D`, on its own variables, with a gradient by blocks."""

    def __init__(self, convolution):
        super().__init__(name="blocked_convolution", dtype=convolution.dtype_policy)
        self._convolution = convolution

    def call(self, images):
        layer = self._convolution
        outputs = _convolve(images, tf.convert_to_tensor(layer.kernel), layer.padding)
        if layer.use_bias:
            outputs += ops.reshape(layer.bias, (1, 1, 1, layer.filters))
        return outputs if layer.activation is None else layer.activation(outputs)

    def compute_output_shape(self, input_shape):
        return self._convolution.compute_output_shape(input_shape)


def _is_supported(layer, images):
    """Return whether a layer is a convolution with stride 1 of few channels."""
    return (
        type(layer) is keras.layers.Conv2D
        and set(layer.strides) == set(layer.dilation_rate) == {1}
        and layer.groups == 1
        and layer.data_format == "channels_last"
        and layer.padding in ("same", "valid")
        and None not in images.shape[1:]
        and images.shape[-1] in _BLOCK_SIZES
    )


def _convolve(images, kernel, padding):
    """Convolve with stride 1, with the gradient of `by_blocks`."""

    @tf.custom_gradient
    def convolve(images):
        def gradient(upstream):
            num_zeros = [
                (size - 1) // 2 if padding == "same" else 0 for size in kernel.shape[:2]
            ]
            block_size = _BLOCK_SIZES[images.shape[-1]]
            return by_blocks(upstream, kernel, images.shape, num_zeros, block_size)

        return ops.conv(images, kernel, padding=padding), gradient

    return convolve(images)


def by_blocks(
    upstream: tf.Tensor, kernel: tf.Tensor, image_shape, padding: list, block_size: int
) -> tf.Tensor:
    """Compute the gradient of a convolution with stride 1 by its input.

    Args:
        upstream: Gradient with respect to the convolution's output, of shape
            `(batch_size, output_height, output_width, num_filters)`.
        kernel: Tensor of shape `(height, width, num_channels, num_filters)`.
        image_shape: `(batch_size, height, width, num_channels)` of the input.
        padding: Numbers of zeros that the convolution adds above and to the left of
            its input.
        block_size: Side of a block, in pixels.

    Returns:
        Tensor of shape `(batch_size, height, width, num_channels)`.
    """
    flipped = tf.transpose(kernel[::-1, ::-1], (0, 1, 3, 2))
    # One shifted copy of the kernel for each pixel of a block.
    shifts = [(i, block_size - 1 - i) for i in range(block_size)]
    copies = [
        tf.pad(flipped, (down, right, (0, 0), (0, 0)))
        for down in shifts
        for right in shifts
    ]
    blocks = tf.stack(copies, axis=3)
    blocks = tf.reshape(blocks, (*blocks.shape[:3], -1))
    paddings = []
    for image_size, output_size, kernel_size, num_zeros in zip(
        image_shape[1:3], upstream.shape[1:3], kernel.shape[:2], padding, strict=True
    ):
        before = kernel_size - 1 - num_zeros
        whole = -(-image_size // block_size) * block_size
        paddings.append([before, whole + kernel_size - 1 - output_size - before])
    gradient = tf.nn.conv2d(upstream, blocks, block_size, [[0, 0], *paddings, [0, 0]])
    gradient = tf.nn.depth_to_space(gradient, block_size)
    return gradient[:, : image_shape[1], : image_shape[2]]
