"""The judge of clients: a server that plays situations, the programs that it is played to, and what they showed."""
