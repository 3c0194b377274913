"""A fault of ours, put into any part of a run from outside."""
