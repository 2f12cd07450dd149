import functools

import numpy as np
import tensorflow as tf
from helpers import bad_calls
from helpers.bad_calls import IMAGES
from helpers.models import linear

import dfal_keras as dfal


@functools.cache
def classifier():
    return linear(3, "softmax")


def attack(**changed):
    dfal.deepfool(**{"model": classifier(), "x": IMAGES, **changed})


CALLS = {
    "a list of lists": ("x", lambda: attack(x=[[1, 2]])),
    "a tensor": ("x", lambda: attack(x=tf.constant(IMAGES))),
    "bfloat16": ("x", lambda: attack(x=tf.cast(IMAGES, "bfloat16"))),
    "complex pixels": ("x", lambda: attack(x=IMAGES * 1j)),
    "a sample without its batch": ("x", lambda: attack(x=IMAGES[0])),
    "several sigmoids": (
        "model",
        lambda: attack(model=linear(3, "sigmoid")),
    ),
    "a layer in the wrong place": (
        "model",
        lambda: attack(model=lambda x: x[:, :, :, 0]),
    ),
    "rows that are not the images": (
        "model",
        lambda: attack(model=lambda x: tf.reshape(x, (-1, 8))),
    ),
    "a norm of None": ("ord", lambda: attack(ord=None)),
    "a negative norm": ("ord", lambda: attack(ord=-np.inf)),
    "steps as a bool": ("max_steps", lambda: attack(max_steps=True)),
    "steps as a float": ("max_steps", lambda: attack(max_steps=50.0)),
    "overshoot NaN": ("overshoot", lambda: attack(overshoot=np.nan)),
    "overshoot None": ("overshoot", lambda: attack(overshoot=None)),
    "bounds NaN": ("bounds", lambda: attack(bounds=(0, np.nan))),
    "bounds that are equal": ("bounds", lambda: attack(bounds=(1, 1))),
    "three bounds": ("bounds", lambda: attack(bounds=(0, 1, 2))),
    "half a pair": ("bounds", lambda: attack(bounds=(0, None))),
    "classes as text": ("num_classes", lambda: attack(num_classes="all")),
    "offset NaN": ("step_offset", lambda: attack(step_offset=np.nan)),
    "closest as a float": ("num_closest", lambda: attack(num_closest=2.5)),
    "no batch size": ("batch_size", lambda: attack(batch_size=0)),
}


@bad_calls.each(CALLS)
def test_a_bad_call_is_rejected(named, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bad_calls.check_rejected(named, call, tmp_path)
