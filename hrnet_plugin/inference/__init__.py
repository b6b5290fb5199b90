"""A trained network on somebody's own pictures and videos."""
