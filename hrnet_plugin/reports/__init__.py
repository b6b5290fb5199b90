"""Pages that people open in a browser: one file each, with everything in it."""
