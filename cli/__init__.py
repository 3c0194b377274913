"""The `sendpoll` command: options in, one library call, exit code out."""
