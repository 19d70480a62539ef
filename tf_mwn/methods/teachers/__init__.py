"""The clean set alone, two networks, and teachers."""

# What the teacher of learning to teach is rewarded for.
TEACHING_REWARDS = ("accuracy", "speed")
