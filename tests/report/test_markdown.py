"""`summary.md`, compared whole, and rendered: what a target sent is text in it, whatever it looks like."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from orderproof.outcome import RunResult
from orderproof.report.markdown import markdown
from tests.report.samples import BROKEN, CONFORMS, HOSTILE_RUN, NOT_JUDGED, TOO_MUCH

Golden = Callable[[str, str], None]
EVIL = "1 ``` ~~~ **bold** [a](http://x.y) ![b](c) <b>h</b> | cell\n\n# heading\n- item & &lt; `code` $x$ @me"
_FOLD = re.compile(r"<details><summary>[\w ',()]+</summary>|</details>")
STYLED = replace(
    BROKEN,
    target=EVIL,
    notes=(EVIL, "- item", "+ item", "= line"),
    interrupted=EVIL,
    command=EVIL,
    blocks=(replace(TOO_MUCH, actual=EVIL, expected=EVIL, curl=EVIL),),
)


@pytest.mark.parametrize(
    ("name", "result"), [("conforms", CONFORMS), ("broken", BROKEN), ("not-judged", NOT_JUDGED)]
)
def test_the_summary(name: str, result: RunResult, golden: Golden) -> None:
    golden(f"summary-{name}.md", markdown(result))


def rendered(result: RunResult) -> list[Token]:
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown(result))
    return [inner for token in tokens for inner in (token, *(token.children or ()))]


@pytest.mark.parametrize(("result", "headings"), [(HOSTILE_RUN, 2), (STYLED, 3)], ids=["hostile", "styled"])
def test_what_a_target_sent_is_text(result: RunResult, headings: int) -> None:
    tokens = rendered(result)
    ours = {token.type for token in rendered(BROKEN)}
    assert {token.type for token in tokens} <= ours
    html = [token.content.rstrip("\n") for token in tokens if token.type.startswith("html")]
    assert [block for block in html if not _FOLD.fullmatch(block)] == []
    counts = Counter(token.type for token in tokens)
    assert counts["heading_open"] == headings
    assert counts["tr_open"] == 2
    assert counts["strong_open"] + counts["link_open"] + counts["image"] == 0


def test_text_reads_as_it_was_sent() -> None:
    shown = "".join(token.content for token in rendered(STYLED) if token.type.startswith("text"))
    assert EVIL.replace("\n", r"\n") in shown


def test_a_long_script_is_cut() -> None:
    text = markdown(replace(BROKEN, blocks=(replace(TOO_MUCH, curl="curl x\n" * 100_000),)))
    assert "# … cut here" in text
    assert len(text) < 20_000


def test_many_root_causes_fit_in_a_job_summary() -> None:
    text = markdown(replace(BROKEN, blocks=(replace(TOO_MUCH, curl="curl x\n" * 100_000),) * 500))
    assert "And 480 root causes more" in text
    assert len(text.encode()) < 1_048_576 // 2
