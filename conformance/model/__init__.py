"""The model of a conforming server: a pure oracle over sets of possible states of an order."""
