"""Tests of the documentation: pages made by scripts are fresh, examples run, files that it shows are read."""
