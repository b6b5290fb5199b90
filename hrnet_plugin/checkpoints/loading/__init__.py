"""How the weights of a checkpoint go into a network: planned, told in a few lines, then done."""
