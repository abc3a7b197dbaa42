"""What a command runs; config is known here alone."""
