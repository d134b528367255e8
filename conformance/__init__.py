"""orderproof: contract tests and conformance checks for the Klarna Order Management API v1."""
