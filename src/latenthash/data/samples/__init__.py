"""The pictures that come along, painted or shipped with a library."""
