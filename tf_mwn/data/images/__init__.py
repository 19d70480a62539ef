"""Images in files: found, decoded and cached."""
