"""Tiny checkpoints of real architectures with random weights, built and saved by the tests."""
