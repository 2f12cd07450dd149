"""Networks for a session: by name, with a new head, or with more classes."""

import inspect
import os
import pathlib
import sys
import urllib.error
from collections.abc import Sequence

import keras
import numpy as np

from dfal_keras import _validation, models
from dfal_keras.backend import classifier, heads, keras_graph
from dfal_keras.labeling.frozen_base import HEAD_START
from dfal_keras.labeling.images import decoding

DEFAULT = "MobileNetV3Small"
_SMALL_NETWORKS = {"lenet5": models.LeNet5, "vgg8": models.VGG8}
_SMALL_SIZE, _SIZE = (64, 64), (224, 224)
# Pixels a side. The dense layer of a small network grows with their square: VGG8 has
# 140 million weights at this size.
_MAX_SMALL = 128
_PREPROCESSING = "preprocessing"  # name of a layer


def find(name: str) -> str | None:
    """Return the proper name of a network, `None` if there is none of this name.

    Args:
        name: `LeNet5`, `VGG8`, or the name of an image classifier of
            `keras.applications`, in any case.
    """
    known = {key: function.__name__ for key, function in _SMALL_NETWORKS.items()}
    for each in dir(keras.applications):
        function = getattr(keras.applications, each)
        if callable(function) and "include_top" in _parameters(function):
            known[each.lower()] = each
    return known.get(name.lower())


def build(
    name: str,
    num_classes: int,
    *,
    weights: str | os.PathLike = "imagenet",
    image_size: Sequence[int] | None = None,
) -> keras.Model:
    """Return a compiled classifier of images with pixels from 0 to 255.

    A network of `keras.applications` gets its own preprocessing, global average
    pooling, dropout and a dense layer. If it has weights, they are frozen: only the new
    head is trained.

    Args:
        name: See `find`.
        num_classes: Number of classes.
        weights: `"imagenet"`, which Keras downloads; `"none"`; or a `.weights.h5` or
            `.keras` file of the network without its top. `LeNet5` and `VGG8` have none.
            Defaults to `"imagenet"`.
        image_size: `(height, width)`, at most 128x128 for `LeNet5` and `VGG8`.
            Defaults to `None`, 224x224, or 64x64 for these two.

    Returns:
        A Sequential or functional model, whose layers are not nested.

    Raises:
        ValueError: If an argument is invalid, or the weights can't be loaded.
    """
    proper = find(name)
    if proper is None:
        raise _validation.ArgumentError(
            "model",
            "must be a .keras file, LeNet5, VGG8, or the name of an image classifier "
            f"of keras.applications, such as {DEFAULT}. Received: model={name!r}",
        )
    if image_size is not None:
        decoding.check_sample_shape("image_size", (*image_size, 3))
    if proper.lower() in _SMALL_NETWORKS:
        size = tuple(image_size or _SMALL_SIZE)
        model = _small_network(_SMALL_NETWORKS[proper.lower()], size, num_classes)
    else:
        size = tuple(image_size or _SIZE)
        model = _with_new_head(proper, size, num_classes, weights)
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def has_frozen_layers(model: keras.Model) -> bool:
    """Return whether a layer with weights, other than the preprocessing, is frozen."""
    return any(
        layer.weights and not layer.trainable and layer.name != _PREPROCESSING
        for layer in model.layers
    )


def unfreeze(model: keras.Model, num_layers: int) -> None:
    """Make the last layers of a frozen network trainable, to fine-tune them.

    Args:
        model: A model whose first layers are frozen.
        num_layers: Number of frozen layers to train, from the last one on. Layers
            without weights do not count. `BatchNormalization` stays frozen, as small
            data sets spoil its statistics.

    Raises:
        ValueError: If the model has fewer such layers.
    """
    frozen = [
        layer
        for layer in model.layers
        if layer.weights
        and not layer.trainable
        and layer.name != _PREPROCESSING
        and not isinstance(layer, keras.layers.BatchNormalization)
    ]
    _validation.check_count("unfreeze", num_layers, minimum=0, maximum=len(frozen))
    for layer in frozen[len(frozen) - num_layers :]:
        layer.trainable = True


def _small_network(make, size, num_classes):
    """Return LeNet5 or VGG8, which take pixels from 0 to 255."""
    if max(size) > _MAX_SMALL:
        raise _validation.ArgumentError(
            "image_size",
            f"must be at most {_MAX_SMALL}x{_MAX_SMALL} for this network; choose one "
            f"of keras.applications for larger images. Received: image_size={size}",
        )
    try:
        return make((*size, 3), num_classes)
    except ValueError as error:
        raise _validation.ArgumentError(
            "image_size", f"must fit the model. Received: {size} ({error})"
        ) from error


def _with_new_head(name, size, num_classes, weights):
    """Return a network of `keras.applications` with a new head."""
    weights = str(weights)
    _check_weights(weights)
    base = _base(name, (*size, 3))
    if weights != "none":
        base = _with_weights(name, base, weights)
        for layer in base.layers:
            layer.trainable = False
    features = base.output
    if len(features.shape) == 4:
        features = keras.layers.GlobalAveragePooling2D(name="head_pooling")(features)
    features = keras.layers.Dropout(0.2, name=HEAD_START)(features)
    outputs = keras.layers.Dense(num_classes, "softmax", name="head")(features)
    return keras.Model(base.inputs[0], outputs, name=base.name)


def _base(name, input_shape, *, weights=None, preprocess=True):
    """Return a network without its top, whose inputs are pixels from 0 to 255.

    Args:
        name: Name of the network.
        input_shape: Shape of an image.
        weights: As for the network. Defaults to `None`.
        preprocess: Whether a network that does not preprocess its inputs itself begins
            with a layer for it. Keras can load no weights into that. Defaults to
            `True`.
    """
    make = getattr(keras.applications, name)
    inputs = keras.Input(input_shape)
    options: dict = {"include_top": False, "weights": weights}
    if "include_preprocessing" in _parameters(make):
        options["include_preprocessing"] = True
    elif preprocess:
        inputs = _preprocess(make, inputs)
    try:
        return make(**options, input_tensor=inputs, input_shape=input_shape)
    # Of layers that the image is too small for, among others.
    except ValueError as error:
        if weights is not None:
            raise
        raise _validation.ArgumentError(
            "image_size",
            f"must be a size that {name} accepts. "
            f"Received: image_size={input_shape[:2]} ({_first_words(error)})",
        ) from error


def _with_weights(name, base, weights):
    """Return a network without its top that has the weights of ImageNet or a file."""
    input_shape = base.input_shape[1:]
    try:
        if weights.endswith(".keras"):
            pretrained = keras.models.load_model(weights, compile=False)
        elif weights == "imagenet":
            pretrained = _base(name, input_shape, weights=weights, preprocess=False)
            if not any(layer.name == _PREPROCESSING for layer in base.layers):
                return pretrained
        else:
            pretrained = _base(name, input_shape, preprocess=False)
            pretrained.load_weights(weights)
        _copy_weights(pretrained, base)
    # Keras raises plain exceptions if a download fails, and many types for files.
    except Exception as error:
        hint = "no network connection? " if _is_download_error(error) else ""
        expected = f"a .weights.h5 or .keras file with the weights of {name} without "
        expected += "its top"
        if weights == "imagenet":
            expected = f"none, or {expected}, if those of ImageNet can't be loaded, "
            expected += "or the model be LeNet5, which is small and needs none"
        raise _validation.ArgumentError(
            "weights",
            f"must be {expected}. "
            f"Received: weights={weights!r} ({hint}{_first_words(error)})",
        ) from error
    return base


def _check_weights(weights):
    """Raise ValueError if weights are neither a known name nor a file."""
    is_file = weights.endswith((".weights.h5", ".keras"))
    if weights in ("imagenet", "none") or (is_file and pathlib.Path(weights).is_file()):
        return
    raise _validation.ArgumentError(
        "weights",
        "must be imagenet, none, or a .weights.h5 or .keras file. "
        f"Received: weights={weights!r}",
    )


def _copy_weights(source, target):
    """Set the weights of a network to those of another, without the preprocessing."""

    def layers_of(model):
        return [
            layer
            for layer in model.layers
            if layer.name != _PREPROCESSING
            and not isinstance(layer, keras.layers.InputLayer)
        ]

    olds, news = layers_of(source), layers_of(target)
    # Not by name: names count the layers of their kind in the process.
    kinds = [[type(layer).__name__ for layer in each] for each in (olds, news)]
    if kinds[0] != kinds[1]:
        raise ValueError(
            f"it has {len(olds)} layers, which are not the {len(news)} of {target.name}"
        )
    for old, new in zip(olds, news, strict=True):
        new.set_weights(old.get_weights())
        if isinstance(new, keras.layers.Normalization):
            new.finalize_state()  # it computes with a copy of its weights


def _is_download_error(error):
    """Return whether an exception of Keras is that of a failed download."""
    kinds = (urllib.error.URLError, ConnectionError, TimeoutError)
    return isinstance(error, kinds) or "URL fetch failure" in str(error)


def _first_words(error):
    return " ".join(str(error).split())[:200]


def _preprocess(make, inputs):
    """Return inputs as a network's `preprocess_input` returns them.

    The function is affine in the pixels and may swap channels: a frozen convolution
    does the same, and can be saved.
    """
    preprocess = sys.modules[make.__module__].preprocess_input
    offset = preprocess(np.zeros((1, 1, 1, 3), "float32"))[0, 0, 0]
    basis = preprocess(np.eye(3, dtype="float32").reshape(3, 1, 1, 3))
    matrix = basis.reshape(3, 3) - offset
    if not np.any(offset) and (matrix == np.eye(3)).all():
        return inputs
    layer = keras.layers.Conv2D(3, 1, name=_PREPROCESSING, trainable=False)
    outputs = layer(inputs)
    layer.set_weights([matrix.reshape(1, 1, 3, 3), offset])
    return outputs


def _parameters(function):
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}


def widen(model: keras.Model, num_classes: int) -> keras.Model:
    """Return a model with more classes, whose other weights are those of `model`.

    The last layer with weights, a dense layer, gets new units with zero weights. What
    follows it, such as a softmax, is called again.

    Args:
        model: A Sequential or functional classifier.
        num_classes: The new number of classes.

    Returns:
        A functional model, not compiled.

    Raises:
        ValueError: If the model does not end in such a dense layer, or the scores of
            its classes would change.
    """
    if not keras_graph.is_functional(model):
        raise _refused(model, "whose layers are not accessible")
    if classifier.head(model).kind not in ("softmax", "logits"):
        raise _refused(model, "whose outputs are neither logits nor a softmax of them")
    try:
        last = heads.last_layer(model)
    except ValueError as error:
        raise _refused(model, "without a last layer") from error
    dense = last.call.operation
    is_dense = isinstance(dense, keras.layers.Dense)
    if not is_dense or dense.units < 2 or getattr(dense, "quantization_mode", None):
        raise _refused(model, f"that ends in {dense.name!r}, a {type(dense).__name__}")

    (_, values), *others = last.graphs
    for inputs, outputs in others:  # of nested models
        values = keras.tree.flatten(keras.Model(inputs, outputs)(values))
    # A function as activation can't always be made again from the configuration.
    changed = {"units": num_classes, "name": f"{dense.name}_wider"}
    changed |= {"lora_rank": None, "activation": None}
    wider = keras.layers.Dense.from_config({**dense.get_config(), **changed})
    wider.activation = dense.activation
    outputs = _tail(wider, last, model)(wider(*values))
    num_new = num_classes - dense.units
    weights = [dense.kernel, *([dense.bias] if dense.use_bias else [])]
    arrays = [keras.ops.convert_to_numpy(weight) for weight in weights]
    wider.set_weights(
        [np.pad(w, [(0, 0)] * (w.ndim - 1) + [(0, num_new)]) for w in arrays]
    )
    return keras.Model(model.inputs[0], outputs, name=model.name)


def _tail(wider, last, model):
    """Return a function of the wider layer's outputs, after a test on numbers."""

    def tail(value):
        for call in last.after:
            is_layer = isinstance(call.operation, keras.Layer)
            value = call.repeat([value], **({"training": False} if is_layer else {}))
        return value

    def compute(logits):
        outputs = tail(wider.activation(keras.ops.convert_to_tensor(logits)))
        return keras.ops.convert_to_numpy(keras.ops.cast(outputs, "float32"))

    num_old = last.call.operation.units
    logits = np.random.default_rng(0).normal(size=(5, wider.units)).astype("float32")
    try:
        old, new = compute(logits[:, :num_old]), compute(logits)
    except Exception as error:  # any, from an operation for the old number of classes
        raise _refused(model, "whose last layers take its number of classes") from error
    if classifier.head(model).kind == "softmax" and new.shape == logits.shape:
        new = new / new[:, :num_old].sum(axis=1, keepdims=True)
    if new.shape != logits.shape or not np.allclose(new[:, :num_old], old, atol=1e-2):
        raise _refused(model, "whose last layers change the order of the classes")
    return tail


def _refused(model, reason):
    return _validation.ArgumentError(
        "model",
        "must end in a dense layer with a unit for each class, to add "
        "a class. Start a new session with a model for all classes, and import "
        f"labels.csv. Received: the model {model.name!r}, {reason}",
    )
