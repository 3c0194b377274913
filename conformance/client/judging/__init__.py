"""What a client asked and what it showed, judged. Pure: no sockets, no processes, no clock."""
