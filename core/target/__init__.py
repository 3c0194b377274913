"""Where the server is and who we are to it."""
