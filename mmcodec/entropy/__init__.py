"""Coding of descriptors and text to bits: integers only."""
