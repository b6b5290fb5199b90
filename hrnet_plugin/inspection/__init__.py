"""A look into a network: what its parts cost, what flows through them, where the time goes, whether they are alive."""
