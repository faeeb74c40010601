"""Procedural scenes, the still and the sound of the committed samples."""
