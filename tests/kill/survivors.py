"""What the matrix does not show: why a fault survives a profile, and for which rules it has no exact fault yet."""

from __future__ import annotations

REASONS: dict[str, str] = {}
"""One sentence for each fault that survives."""

WITHOUT = frozenset(
    (
        *("GEN-AUTH-3", "GEN-ERR-1", "GEN-ERR-2", "GEN-ERR-3", "GEN-ERR-4", "GEN-404-1"),
        *("GEN-404-2", "GEN-ID-1", "GEN-VAL-1", "GEN-VAL-2", "GEN-VAL-3", "GEN-VAL-4"),
        *("GEN-HTTP-1", "GEN-HTTP-2", "GEN-HTTP-3", "GEN-HTTP-4", "GEN-HTTP-5", "GEN-RATE-1"),
        *("ORD-GET-2", "REL-4", "SHP-4", "SND-1", "RFD-4", "RFD-8"),
        *("IDM-1", "IDM-4"),
    )
)
"""Rules for which the matrix, as far as it was run, has no fault that turns exactly them red."""
