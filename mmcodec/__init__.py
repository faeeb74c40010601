"""mmcodec: clips as timed prompts and tiny descriptors, re-synthesized by the receiver."""

__version__ = "0.1.0"
