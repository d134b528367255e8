"""The badge: data that shields.io takes, and an SVG of known elements whose text fits and can be read."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from orderproof.outcome import RunResult, Verdict
from orderproof.report.badge import badge, badge_svg
from tests.report.samples import BROKEN, CONFORMS, HOSTILE_RUN, NOT_JUDGED, rule_results

WARNED = replace(CONFORMS, rules=rule_results(GEN_404_2=(Verdict.WARNED, 1, "")))
WAIVERS = replace(CONFORMS, verdict="waivers", exit_code=4)
RUNS = [CONFORMS, WARNED, WAIVERS, BROKEN, NOT_JUDGED, HOSTILE_RUN]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("result", "message", "colour", "is_error"),
    [
        (CONFORMS, "conforms, 105 rules", "2b7a45", False),
        (WARNED, "conforms, 1 warning", "8a6100", False),
        (WAIVERS, "waivers do not fit", "b3261e", True),
        (BROKEN, "4 rules broken", "b3261e", True),
        (replace(BROKEN, strict=True), "5 rules broken", "b3261e", True),
        (NOT_JUDGED, "not judged", "5b6470", False),
    ],
)
def test_what_it_says(result: RunResult, message: str, colour: str, is_error: bool) -> None:
    assert badge(result) == {
        "schemaVersion": 1,
        "label": "orderproof",
        "message": message,
        "color": colour,
        "isError": is_error,
    }


@pytest.mark.parametrize("result", RUNS)
def test_the_picture_has_known_elements_and_its_texts_fit(result: RunResult) -> None:
    root = ElementTree.fromstring(badge_svg(result))
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        "svg",
        "title",
        "clipPath",
        "rect",
        "g",
        "text",
    }
    assert not {
        name for element in root.iter() for name in element.attrib if "href" in name or name.startswith("on")
    }
    boxes = [
        (int(box.attrib.get("x", 0)), int(box.attrib["width"])) for box in root.findall(f"{SVG}g/{SVG}rect")
    ]
    assert [sum(boxes[0]), sum(boxes[1])] == [boxes[1][0], int(root.attrib["width"])]
    texts = root.findall(f"{SVG}g/{SVG}text")
    assert [text.text for text in texts] == ["orderproof", badge(result)["message"]]
    for text, (start, width) in zip(texts, boxes, strict=True):
        assert start < int(text.attrib["x"])
        assert int(text.attrib["x"]) + int(text.attrib["textLength"]) < start + width
        per_sign = int(text.attrib["textLength"]) / len(text.text or "")
        assert 4.5 < per_sign < 8


@pytest.mark.parametrize("result", RUNS)
def test_white_text_can_be_read_on_every_colour(result: RunResult) -> None:
    for colour in re.findall(r'fill="#([0-9a-f]{6})"', badge_svg(result)):
        channels = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        assert 1.05 / (luminance + 0.05) >= 4.5
