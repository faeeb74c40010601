"""Streams over HTTP: segments and playlists, an origin, a receiver, and a page to watch on."""
