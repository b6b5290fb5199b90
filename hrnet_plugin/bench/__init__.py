"""The benchmark: networks against each other on one machine in one run, as ratios with their intervals."""
