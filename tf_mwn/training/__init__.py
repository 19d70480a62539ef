"""The frame that all methods share: one keras.Model around the user's classifier."""
