"""Ways for the bytes of a stream to travel where no file goes: text in a message, a QR code."""
