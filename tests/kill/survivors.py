"""Why a fault survives a profile: one sentence for each that is known to."""

from __future__ import annotations

REASONS: dict[str, str] = {}
