"""Why faults survive: one sentence for each that a profile does not find. For now there are none."""

from __future__ import annotations

REASONS: dict[str, str] = {}
