"""Tests of the faults that a sandbox can be given."""
