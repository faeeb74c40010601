"""How good a decode is, and what peers make of the same bytes."""
