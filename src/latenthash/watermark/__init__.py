"""The watermark: an id in a picture's pixels that commits to what the picture shows."""
