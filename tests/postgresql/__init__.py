"""The sandbox on a real PostgreSQL, in one process and in several."""
