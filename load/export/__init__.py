"""The numbers of a run while it lasts, for those who watch with other tools: a page for Prometheus, and OTLP."""
