"""Compact descriptions of picture and sound: ``encode(signal) -> bytes`` beside ``decode``."""
