"""From views to features: the pixels, or layers of VGG16."""
