"""The kill matrix: every fault of the sandbox against the suite, measured."""
