"""From views to features: the pixels, layers of VGG16, or the embedding of a code."""
