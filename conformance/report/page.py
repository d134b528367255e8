"""The shell of a page: one file that loads nothing, sends nothing, and runs only its own script."""

from __future__ import annotations

import base64
import hashlib

from orderproof.report.files import asset
from orderproof.report.markup import Child, Html, element


def page(title: str, *body: Child) -> str:
    """Return an HTML document with the style and the script of the reports."""
    style, script = Html(asset("page.css")), Html(asset("page.js"))
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", style),
    )
    whole = element("html", head, element("body", *body), element("script", script), lang="en")
    return f"<!doctype html>\n{whole}\n"


def _policy(style: str, script: str) -> str:
    """Nothing is loaded, sent or run but the style and the script of this page."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
