"""A proxy between clients and a server: it passes every byte, records, judges, and breaks the network on purpose."""
