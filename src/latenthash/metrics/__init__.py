"""Held-out figures and their bootstrap intervals."""
