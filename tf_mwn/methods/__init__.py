"""One keras.Model per family of training step, and the registry of methods."""
