"""Connections to a target, opened in one way for every kind of sockets: addresses, proxy, TLS, all under a deadline."""
