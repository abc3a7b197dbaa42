"""What models are built of: networks, losses, training, and closed forms."""
