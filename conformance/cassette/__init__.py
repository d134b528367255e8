"""Recorded traffic: read, written, scrubbed, audited, sent to servers and served to clients."""
