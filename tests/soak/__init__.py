"""Soaking: the walk against sandboxes that are killed and come back, for as long as one likes."""
