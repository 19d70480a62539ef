"""What a method is, stated without TensorFlow."""
