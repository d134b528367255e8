"""orderproof: contract tests and conformance checks for the Klarna Order Management API v1."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("orderproof")
except PackageNotFoundError:  # run from a tree that was never installed
    __version__ = "0+unknown"
