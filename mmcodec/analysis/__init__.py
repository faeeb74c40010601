"""What a clip contains: arrays in, frozen dataclasses out."""
