"""One file a format: a network of tensors written to a file, its description inside."""
