"""One keras.Model per family of training step, and the registry of methods."""

# What the teacher of learning to teach is rewarded for.
TEACHING_REWARDS = ("accuracy", "speed")
