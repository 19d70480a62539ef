"""MentorNet: sample weights by a network that knows or learns a curriculum."""
