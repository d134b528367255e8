"""Why faults survive: one sentence for each that a profile does not find."""

from __future__ import annotations

REASONS = {
    "update-merchant-references-merchant-reference2-number": (
        "Quick tries each field of a body in one of the ways to be wrong, which the seed chooses; standard tries all."
    ),
}
