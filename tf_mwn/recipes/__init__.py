"""Named settings, with their sources and published numbers."""
