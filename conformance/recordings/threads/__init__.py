"""Which task, which reader and which client an exchange belongs to, and whether its request could have been served."""
