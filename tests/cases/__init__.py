"""Small servers out of public bug reports, and what a check must say of each."""
