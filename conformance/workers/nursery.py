"""What the fork server has ready before it forks: imported once for all workers, and worked out once for all."""

from __future__ import annotations

import gc

from orderproof.coverage import Coverage
from orderproof.transport import tls_context
from orderproof.workers.process import work

__all__ = ["work"]

for _clock in (False, True):
    Coverage().missed(clock=_clock)
tls_context()
# What is here already stays for good: looking through it for garbage would only make each worker copy it.
gc.collect()
gc.freeze()
