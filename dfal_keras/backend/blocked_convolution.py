"""A faster gradient of convolutions with respect to inputs of few channels.

The gradient of a convolution by its input is a convolution with as many output channels
as the input has: one or three for an image. A CPU's vector units process up to sixteen
numbers at once, so most of each unit is idle, and in LeNet5 the first layer takes half
of the time of a backward pass. This module computes a block of neighboring pixels at
once, as channels of a convolution whose stride is the block size. Each sum has the same
terms, plus zeros, so the result is equal up to rounding.
"""

import contextlib
from collections.abc import Iterator

import tensorflow as tf


@contextlib.contextmanager
def gradients_by_blocks() -> Iterator[None]:
    """Use this module's gradient for convolutions that are traced in the context.

    It applies to `tf.gradients` with respect to the input. A `tf.GradientTape` ignores
    it.
    """
    graph = tf.compat.v1.get_default_graph()
    with graph.gradient_override_map({"Conv2D": _NAME}):
        yield


_NAME = "DfalKerasConv2DByBlocks"
_BLOCK_SIZES = {1: 4, 2: 2, 3: 2}  # by channels: 16, 8 and 12 numbers at once


@tf.RegisterGradient(_NAME)
def _gradient(op, upstream):
    """Return the gradient of a convolution by its input, and none by its kernel."""
    images, kernel = op.inputs
    attributes = ["strides", "padding", "explicit_paddings", "data_format", "dilations"]
    options = {name: op.get_attr(name) for name in attributes}
    block_size = _BLOCK_SIZES.get(images.shape[-1])
    is_supported = (
        set(options["strides"]) == set(options["dilations"]) == {1}
        and options["data_format"] == b"NHWC"
        and options["padding"] in (b"SAME", b"VALID")
        and None not in (*images.shape[1:], *upstream.shape[1:])
        and kernel.shape[2] == images.shape[3]
    )
    if block_size and is_supported:
        is_same = options["padding"] == b"SAME"
        padding = [(size - 1) // 2 if is_same else 0 for size in kernel.shape[:2]]
        return by_blocks(upstream, kernel, images.shape, padding, block_size), None
    return (
        tf.raw_ops.Conv2DBackpropInput(
            input_sizes=tf.shape(images),
            filter=kernel,
            out_backprop=upstream,
            **options,
        ),
        None,
    )


def by_blocks(
    upstream: tf.Tensor, kernel: tf.Tensor, image_shape, padding: list, block_size: int
) -> tf.Tensor:
    """Compute the gradient of a convolution with stride 1 by its input.

    Args:
        upstream: Gradient by the convolution's output, of shape
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
