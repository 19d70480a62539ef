"""MentorNet: sample weights from a network that has learned a curriculum."""
