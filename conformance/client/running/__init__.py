"""A client as a program: a command, a library behind an adapter, or a page; run once, whatever it does."""
