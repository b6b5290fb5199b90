"""What can be wrong before a training begins: in a config, and in the data."""
