"""Right but different: servers of the API written apart from each other, which the conformance suite must let pass."""
