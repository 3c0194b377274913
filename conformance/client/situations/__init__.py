"""The situations in which a client is judged, a file each, and what a server does in them."""
