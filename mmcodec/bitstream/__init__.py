"""The ``.mmc`` stream: the only place that knows byte layout."""
