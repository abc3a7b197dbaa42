"""What a command runs; config is known here, and in tracking, alone."""
