"""Texts as people may be shown them: secrets taken out, numbers with their units."""
