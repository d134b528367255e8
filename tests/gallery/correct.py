"""Correct servers, all different: every freedom that the contract leaves is taken by one of them."""
