"""Processes that share the work of one run: one supply of orders, one rate, one report."""
