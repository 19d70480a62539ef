"""The clean set alone, two networks, and teachers."""
