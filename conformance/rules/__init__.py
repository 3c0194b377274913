"""Rules over single exchanges, and what verdicts they add up to. Pure: nothing is sent from here."""
