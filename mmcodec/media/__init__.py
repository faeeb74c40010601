"""Media files: the only place that touches containers."""
