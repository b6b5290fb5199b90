"""Rewrites of folded networks: each changes a copy in place, and none changes what the network computes."""
