"""Renderings of the result of a load run: terminal, HTML, JUnit, Markdown, and the log of its tasks."""
