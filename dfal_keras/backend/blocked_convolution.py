"""A faster gradient of convolutions with respect to inputs of few channels.

The gradient of a convolution by its input is itself a convolution, with as many output
channels as the input has: one or three where the input is an image. A processor's
vector units may hold sixteen, so most of each is idle, and in a network such as LeNet5
the first layer takes half of the time of a backward pass. Here a block of neighboring
pixels is computed at once, as if they were channels, by a convolution whose stride is
the block. Each sum has the same terms, and zeros; the result is the same to rounding.
"""

import contextlib
from collections.abc import Iterator

import tensorflow as tf


@contextlib.contextmanager
def gradients_by_blocks() -> Iterator[None]:
    """Within this, graphs get this module's gradient for the convolutions they hold.

    It serves `tf.gradients`, by the input only; a `tf.GradientTape` does not notice.
    """
    graph = tf.compat.v1.get_default_graph()
    with graph.gradient_override_map({"Conv2D": _NAME}):
        yield


_NAME = "DfalKerasConv2DByBlocks"
_BLOCK_SIZES = {1: 4, 2: 2, 3: 2}  # by channels: 16, 8, 12 numbers at once


@tf.RegisterGradient(_NAME)
def _gradient(op, upstream):
    """Gradients of a convolution by its input, and none by its kernel."""
    images, kernel = op.inputs
    attributes = ["strides", "padding", "explicit_paddings", "data_format", "dilations"]
    options = {name: op.get_attr(name) for name in attributes}
    block_size = _BLOCK_SIZES.get(images.shape[-1])
    is_plain = (
        set(options["strides"]) == set(options["dilations"]) == {1}
        and options["data_format"] == b"NHWC"
        and options["padding"] in (b"SAME", b"VALID")
        and None not in (*images.shape[1:], *upstream.shape[1:])
        and kernel.shape[2] == images.shape[3]
    )
    if block_size and is_plain:
        is_same = options["padding"] == b"SAME"
        padded_by = [(size - 1) // 2 if is_same else 0 for size in kernel.shape[:2]]
        return by_blocks(upstream, kernel, images.shape, padded_by, block_size), None
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
    upstream: tf.Tensor,
    kernel: tf.Tensor,
    image_shape,
    padded_by: list,
    block_size: int,
) -> tf.Tensor:
    """Compute the gradient of a convolution with stride 1 by its input.

    Args:
        upstream: Gradient by the convolution's output, of shape
            `(batch_size, output_height, output_width, num_filters)`.
        kernel: Of shape `(height, width, num_channels, num_filters)`.
        image_shape: `(batch_size, height, width, num_channels)` of the input.
        padded_by: Zeros that the convolution put above and to the left of its input.
        block_size: Side of the blocks.
    """
    turned = tf.transpose(kernel[::-1, ::-1], (0, 1, 3, 2))
    # The kernel that gives a whole block: one shifted copy for each pixel of it.
    shifts = [(i, block_size - 1 - i) for i in range(block_size)]
    copies = [
        tf.pad(turned, (down, right, (0, 0), (0, 0)))
        for down in shifts
        for right in shifts
    ]
    blocks = tf.stack(copies, axis=3)
    blocks = tf.reshape(blocks, (*blocks.shape[:3], -1))
    paddings = []
    for image, output, kernel_size, padded in zip(
        image_shape[1:3], upstream.shape[1:3], kernel.shape[:2], padded_by, strict=True
    ):
        before = kernel_size - 1 - padded
        whole = -(-image // block_size) * block_size
        paddings.append([before, whole + kernel_size - 1 - output - before])
    gradient = tf.nn.conv2d(upstream, blocks, block_size, [[0, 0], *paddings, [0, 0]])
    gradient = tf.nn.depth_to_space(gradient, block_size)
    return gradient[:, : image_shape[1], : image_shape[2]]
