"""tf.data streams of training and evaluation batches."""
