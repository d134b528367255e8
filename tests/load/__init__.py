"""Load: shared orders, what users see, and the whole of it with Locust."""
