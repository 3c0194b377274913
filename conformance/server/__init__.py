"""The suite that judges servers: it sends what the published clients send, and more."""
