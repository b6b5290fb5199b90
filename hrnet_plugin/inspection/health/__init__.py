"""Whether a trained network is alive: its norms, weights, gradients, activations and paths."""
