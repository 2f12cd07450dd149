"""One process of a simulated annotator: FILE ask|tell|show|whole [kill]."""

import json
import os
import pathlib
import signal
import sys

import keras
import numpy as np

import dfal_keras as dfal

path, command, *then = sys.argv[1:]
rng = np.random.default_rng(0)
labels = np.arange(90) % 3
centers = rng.uniform(0, 255, size=(3, 4, 4, 1))
pool = (centers[labels] + rng.normal(0, 25, size=(90, 4, 4, 1))).clip(0, 255)
pool = pool.astype("uint8")

model = keras.Sequential(
    [
        keras.Input((4, 4, 1)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Flatten(),
        keras.layers.Dense(3, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy")
train = dfal.Training(model, num_restarts=1, epochs=3)
options = {"num_queries": 5, "num_initial": 5, "seed": 1}
if pathlib.Path(path).exists():
    learner = dfal.ActiveLearner.load(path, train, "dfal", pool=pool)
else:
    learner = dfal.ActiveLearner(train, "dfal", pool=pool, **options)


def tell():
    indices = learner.ask().indices
    learner.tell(indices, labels[indices])


if command == "ask":
    learner.ask()
    learner.save(path)
elif command == "tell":
    tell()
    next_two = learner.ask().indices[:2]
    learner.tell(next_two, labels[next_two])
    learner.save(path)
elif command == "whole":
    learner = dfal.ActiveLearner(train, "dfal", pool=pool, **options)
    for _ in range(2):
        tell()
if command in ("show", "whole"):
    if command == "show":
        tell()
        pathlib.Path(path).unlink()
    labeled = {name: array.tolist() for name, array in vars(learner.labeled).items()}
    print(json.dumps(labeled))
if "kill" in then:
    os.kill(os.getpid(), signal.SIGKILL)
