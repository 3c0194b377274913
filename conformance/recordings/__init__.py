"""The judge of traffic that happened: recordings in, the rules and the oracle of `check` over them, a report out."""
