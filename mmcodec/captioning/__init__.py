"""Analysis in words."""
