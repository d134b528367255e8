"""Servers with exactly one defect each."""
