"""What has been published: the index of models and weights, and the local store of those weights. Needs no torch."""
