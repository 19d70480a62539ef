"""The description of a method, without TensorFlow."""
