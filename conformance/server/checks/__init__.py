"""One test a requirement that needs requests of its own; pytest runs them."""
