"""Tests of counterexamples: as files, as scripts, sent again."""
