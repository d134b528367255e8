"""Text that has to look like something: web addresses, e-mail addresses, telephone numbers.

Hosts are those that are set aside for examples, telephone numbers those that are set aside for fiction.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from orderproof.strategies import arguments
from orderproof.strategies.scripts import DIGITS, LETTERS

_HOST = "https://example.com/"
_MAIL_HOST = "example.com"
_PHONE = "+1 555 01"
_LONGEST_MAILBOX = 64  # RFC 5321, 4.5.3.1.1
_URL_SIGNS = LETTERS + DIGITS + "-._~/"
_MAILBOX_SIGNS = "abcdefghijklmnopqrstuvwxyz"


def url_of(length: int) -> str:
    """Return an https address of `length` characters, or of 21 if that is more."""
    return _HOST + "A" * max(1, length - len(_HOST))


def email_of(length: int) -> str:
    """Return an e-mail address of `length` characters, or of 13 if that is more, mostly of its mailbox."""
    room = max(1, length - len(_MAIL_HOST) - 1)
    mailbox = min(room, _LONGEST_MAILBOX)
    rest = room - mailbox
    if rest == 1:  # no label fits in front of the host together with its dot
        mailbox, rest = mailbox - 1, 2
    labels = ("aa." + "a." * (rest // 2 - 1)) if rest % 2 else "a." * (rest // 2)
    return "a" * mailbox + "@" + labels + _MAIL_HOST


def phone_of(length: int) -> str:
    """Return a telephone number of `length` characters, or of 11 if that is more."""
    return _PHONE + "0" * max(2, length - len(_PHONE))


def text_of(field: str, length: int, sign: str) -> str:
    """Return text of `length` characters for a field, or the shortest that looks as the field's should.

    Where any text will do it is `sign`, repeated.
    """
    name = field.rpartition(".")[2]
    if name.endswith(("_url", "_uri")):
        return url_of(length)
    shaped = {"email": email_of, "phone": phone_of}.get(name)
    return shaped(length) if shaped else sign * length


def lengthened(field: str, text: str, length: int) -> str:
    """Return text of `length` characters that begins as a given one does and still suits the field."""
    shaped = text_of(field, length, "A")
    return shaped if set(shaped) != {"A"} else text[:length].ljust(length, "A")


def urls(*, max_length: int) -> SearchStrategy[str]:
    """Return https addresses of up to `max_length` characters.

    Shrinks to "https://example.com/A". Raises InvalidArgument when that does not fit.
    """
    room = arguments.integer("max_length", max_length, low=len(_HOST) + 1) - len(_HOST)
    paths = st.text(LETTERS, min_size=1, max_size=room) | st.text(_URL_SIGNS, min_size=1, max_size=room)
    return st.one_of(paths.map(_HOST.__add__), st.just(url_of(max_length)))


def emails(*, max_length: int) -> SearchStrategy[str]:
    """Return e-mail addresses of up to `max_length` characters.

    Shrinks to "a@example.com". Raises InvalidArgument when that does not fit.
    """
    room = arguments.integer("max_length", max_length, low=len(_MAIL_HOST) + 2) - len(_MAIL_HOST) - 1
    mailboxes = st.text(_MAILBOX_SIGNS, min_size=1, max_size=min(room, _LONGEST_MAILBOX))
    return st.one_of(mailboxes.map(lambda name: f"{name}@{_MAIL_HOST}"), st.just(email_of(max_length)))


def phones() -> SearchStrategy[str]:
    """Return telephone numbers. Shrinks to "+1 555 0100"."""
    return st.integers(0, 99).map(lambda number: f"{_PHONE}{number:02d}")
