"""Servers that attack whoever talks to them: what proves that a run of the suite always ends, with a report."""
