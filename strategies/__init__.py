"""Strategies for the bodies of the Order Management API, and for one thing wrong with them.

Structure and bounds are read from the OpenAPI document of `orderproof.spec` when a strategy is made. What
schemas cannot say is added here: the arithmetic of order lines, their signs and tax, and addresses that
fit their country. Every value is valid by construction and shrinks to what a person would write by hand.
"""

from __future__ import annotations

from orderproof.strategies.addresses import address_updates, addresses, places
from orderproof.strategies.amounts import amounts, boundary_amounts
from orderproof.strategies.authorizations import authorization_updates
from orderproof.strategies.boundaries import LEFT_OUT, Boundary, body_boundaries
from orderproof.strategies.captures import captures
from orderproof.strategies.defects import Defect, body_defects, invalid_bodies
from orderproof.strategies.duedates import due_date_days, due_date_extensions
from orderproof.strategies.keys import idempotency_keys
from orderproof.strategies.lines import order_lines
from orderproof.strategies.orders import edge_order_drafts, order_drafts
from orderproof.strategies.references import merchant_references
from orderproof.strategies.refunds import refunds, return_fee_refunds, spanning_refunds
from orderproof.strategies.shipping import shipping_info_appends, shipping_infos
from orderproof.strategies.specimens import full_body
from orderproof.strategies.texts import field_texts, full_texts, texts

__all__ = [
    "LEFT_OUT",
    "Boundary",
    "Defect",
    "address_updates",
    "addresses",
    "amounts",
    "authorization_updates",
    "body_boundaries",
    "body_defects",
    "boundary_amounts",
    "captures",
    "due_date_days",
    "due_date_extensions",
    "edge_order_drafts",
    "field_texts",
    "full_body",
    "full_texts",
    "idempotency_keys",
    "invalid_bodies",
    "merchant_references",
    "order_drafts",
    "order_lines",
    "places",
    "refunds",
    "return_fee_refunds",
    "shipping_info_appends",
    "shipping_infos",
    "spanning_refunds",
    "texts",
]
