"""Tests of recorded traffic: reading, scrubbing, auditing, replaying and serving it."""
