"""Looking at networks and their results: contact sheets, figures, measures."""
