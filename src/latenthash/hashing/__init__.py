"""One picture's hash: enrolled, printed, and kept as a bundle."""
