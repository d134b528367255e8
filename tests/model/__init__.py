"""Tests of the model: the oracle of what a conforming server may do."""
