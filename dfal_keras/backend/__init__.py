"""Computations with Keras classifiers: most of the package's TensorFlow code."""
