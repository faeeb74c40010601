"""Models that backends run: which ones, where, and what is said when they cannot."""
