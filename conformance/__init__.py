"""The conformance suite: its checks, its oracle, and the verdicts and reports made of them."""
