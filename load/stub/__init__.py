"""A server of known behaviour to measure the generator against."""
