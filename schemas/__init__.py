"""The contract: schemas, catalogue and endpoints, and what every part shares to speak of a target."""
