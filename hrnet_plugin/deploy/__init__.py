"""From a trained model to fast inference: folding, rewrites, export, runtimes, one predictor for all of them."""
