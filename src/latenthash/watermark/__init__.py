"""The mark: an id hidden in a picture's pixels, read again from edited copies."""
