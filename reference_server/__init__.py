"""The reference server: the whole send-and-poll API, durable, with agents that can be swapped."""
