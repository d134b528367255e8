"""`report.html` in a real browser: it opens, fits, filters, prints, is accessible, and runs nothing of a target's.

Needs Chromium, and the packages of `tox -e browser`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orderproof.comparing import Run, compared
from orderproof.outcome import RunResult
from orderproof.report.html import write_html
from orderproof.report.matrix import write_matrix_html
from tests.report.samples import BROKEN, CONFORMS, HOSTILE_RUN, NOT_JUDGED

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

RUNS = {"conforms": CONFORMS, "broken": BROKEN, "not judged": NOT_JUDGED, "hostile": HOSTILE_RUN}
_NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed (tox -e browser)"
    )
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip(f"no Chromium on this machine: none of {', '.join(_NAMES)} is in PATH")
    with sync_api.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])


class _Visit:
    """A page that was opened, and what the browser had to say about it."""

    def __init__(
        self, browser: Browser, file: Path, *, width: int = 1280, scheme: str = "light", scripts: bool = True
    ):
        self.context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=scripts,
            permissions=["clipboard-read", "clipboard-write"],
        )
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri())

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def unfold(self) -> None:
        self.page.evaluate(
            "document.querySelectorAll('details').forEach((details) => { details.open = true; })"
        )


def written(result: RunResult, folder: Path) -> Path:
    return write_html(folder, result)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("name", RUNS)
def test_it_opens_fits_and_is_accessible(
    browser: Browser, name: str, width: int, scheme: str, tmp_path: Path
) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed (tox -e browser)"
    )
    visit = _Visit(browser, written(RUNS[name], tmp_path), width=width, scheme=scheme)
    assert visit.overflow() <= 0
    visit.unfold()
    assert visit.overflow() <= 0
    violations = axe.Axe().run(visit.page).response["violations"]
    assert [(found["id"], found["nodes"][0]["html"]) for found in violations] == []
    assert visit.complaints == []
    assert len(visit.requests) == 1
    visit.context.close()


@pytest.mark.parametrize("width", [1280, 360])
def test_runs_side_by_side_fit_filter_and_are_accessible(
    browser: Browser, width: int, tmp_path: Path
) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed (tox -e browser)"
    )
    runs = [Run(result.target, "out", result) for result in (CONFORMS, BROKEN, HOSTILE_RUN)]
    found = compared([*runs, runs[0]])
    visit = _Visit(browser, write_matrix_html(tmp_path / "matrix.html", found), width=width)
    assert visit.overflow() <= 0
    violations = axe.Axe().run(visit.page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in violations] == []
    visit.page.get_by_label("Rules").select_option("differs")
    differing = sum(row.differs for row in found.rows)
    assert visit.page.get_by_role("status").inner_text() == f"{differing} of {len(found.rows)} rules"
    assert visit.complaints == []
    assert len(visit.requests) == 1
    visit.context.close()


def test_the_rules_are_filtered_by_text_and_verdict(browser: Browser, tmp_path: Path) -> None:
    visit = _Visit(browser, written(BROKEN, tmp_path))
    rows = visit.page.locator(".rules tbody tr:visible")
    status = visit.page.get_by_role("status")
    assert rows.count() == len(BROKEN.rules)
    visit.page.get_by_label("Verdict").select_option("failed")
    assert status.inner_text() == f"4 of {len(BROKEN.rules)} rules"
    visit.page.get_by_label("Find").fill("  CAPTURE above ")
    assert [text.split()[0] for text in rows.all_inner_texts()] == ["CAP-5"]
    visit.page.get_by_label("Find").fill("no rule says this")
    assert rows.count() == 0
    visit.page.get_by_label("Find").press("Enter")
    assert status.inner_text() == f"0 of {len(BROKEN.rules)} rules"


def test_it_reads_without_scripts(browser: Browser, tmp_path: Path) -> None:
    visit = _Visit(browser, written(BROKEN, tmp_path), scripts=False)
    assert visit.page.locator(".rules tbody tr:visible").count() == len(BROKEN.rules)
    assert not visit.page.locator("form").is_visible()
    curl = visit.page.get_by_text("The same with curl").first
    assert not visit.page.get_by_text("curl -i -u").is_visible()
    curl.click()
    assert visit.page.get_by_text("curl -i -u").is_visible()


def test_a_command_is_copied(browser: Browser, tmp_path: Path) -> None:
    visit = _Visit(browser, written(BROKEN, tmp_path))
    visit.page.get_by_text("The same with curl").first.click()
    visit.page.get_by_role("button", name="Copy").first.click()
    visit.page.get_by_role("button", name="Copied").wait_for()
    assert visit.page.evaluate("navigator.clipboard.readText()") == BROKEN.blocks[0].curl


def test_a_hostile_target_stays_text(browser: Browser, tmp_path: Path) -> None:
    visit = _Visit(browser, written(HOSTILE_RUN, tmp_path))
    visit.unfold()
    visit.page.wait_for_timeout(200)
    assert visit.complaints == []
    assert visit.page.locator("script, img").count() == 1
    assert "<script>alert(" in visit.page.locator("h1").inner_text()


def test_the_policy_stops_what_is_not_of_the_page(browser: Browser, tmp_path: Path) -> None:
    visit = _Visit(browser, written(BROKEN, tmp_path))
    visit.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            const image = document.createElement("img");
            image.src = "http://127.0.0.1:9/";
            document.body.append(script, image);
        }"""
    )
    visit.page.wait_for_timeout(200)
    assert visit.page.evaluate("window.ran") is None
    assert len([complaint for complaint in visit.complaints if "Content Security Policy" in complaint]) == 2


@pytest.mark.parametrize("scripts", [True, False])
def test_what_is_folded_is_printed(browser: Browser, scripts: bool, tmp_path: Path) -> None:
    visit = _Visit(browser, written(BROKEN, tmp_path), scripts=scripts)
    visit.page.emulate_media(media="print")
    if scripts:
        visit.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert visit.page.get_by_text("curl -i -u").is_visible()
    assert not visit.page.get_by_role("button", name="Copy").first.is_visible()
    assert len(re.findall(b"/Type /Page\\b", visit.page.pdf())) >= 3
