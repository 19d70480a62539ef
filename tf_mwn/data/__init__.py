"""Data: images in files, sources, their bias, splits and the training streams."""
