"""Agents: what turns a message into the events of its task."""
