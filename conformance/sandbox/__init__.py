"""The stateful reference server, an independent second reading of the contract.

It shares the OpenAPI document with the judge, and no code. From the outside in:

- `server` runs it, `protocol` reads HTTP, `app` admits requests, `routes` finds their operation, `answers` writes back;
- `service` takes one call through the steps of the `behaviour` table, inside a transaction of a `store`;
- `validation` reads bodies, `guards` refuse, `effects` change an order, `views` show it: pure functions on `orders`;
- `options` says what a sandbox can be told, above all which outcome it takes where the contract leaves one open.
"""
