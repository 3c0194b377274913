"""What many results and plans say together: the course of each number, and where it changed."""
