"""A queueing model of a server, learnt from every task of a plan: what it says of a level before anybody holds it."""
