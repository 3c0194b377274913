"""HTTP/1 answers as the published clients read them, once for every reader of ours. No I/O."""
