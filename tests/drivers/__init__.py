"""Tests of the drivers: what they send, and what that brings to light on servers of the gallery."""
