"""What is sent to see what happens: odd offsets, bad bodies, and drawn ones."""
