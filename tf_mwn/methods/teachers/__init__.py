"""Training on the clean set, two networks, and learned teachers."""
