"""Servers with one fault each: what proves that the conformance suite can fail, and fails for the right reason."""
