"""A server on loopback that is right but for what it is told to do, and that knows what was asked of it."""
