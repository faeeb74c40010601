"""From a media file to a stream and back, cue by cue."""
