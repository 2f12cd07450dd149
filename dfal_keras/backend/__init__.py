"""What a Keras classifier computes: everything that is TensorFlow's own."""
