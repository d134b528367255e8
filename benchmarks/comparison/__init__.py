"""orderproof and schemathesis on the same faults."""
