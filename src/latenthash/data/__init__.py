"""Pictures, their views, and the splits that protocol and training draw from them."""
