"""Servers with exactly one defect each, by area."""

from tests.gallery import lies_bodies, lies_wire

AREAS = (lies_wire, lies_bodies)
