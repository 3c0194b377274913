"""Everything that is made of a report: the terminal's summary, HTML, JUnit, Markdown and the badge."""
