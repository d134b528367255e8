"""Judges a client: runs it against the sandbox in good and bad weather, and reads every byte that it sends."""
