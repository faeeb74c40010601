"""Picture and sound from cues."""
