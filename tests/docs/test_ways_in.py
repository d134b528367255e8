"""The other ways in: `python -m`, completion in the shell, the GitHub Action, the GitLab job, the Dockerfile."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from orderproof.cli import check
from tests.docs.blocks import DOCS

ROOT = DOCS.parent
ENTRY = "import sys; sys.argv = ['orderproof']; from orderproof.cli import main; main()"


def _run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], env=os.environ | environment, capture_output=True, text=True, check=False
    )


def test_the_module_is_the_command() -> None:
    done = _run("-m", "orderproof", "--version")
    assert (0, "orderproof") == (done.returncode, done.stdout.partition(",")[0])


@pytest.mark.parametrize(
    ("shell", "piece"), [("bash", "complete -o nosort"), ("zsh", "compdef"), ("fish", "complete --no-files")]
)
def test_the_shell_gets_a_script(shell: str, piece: str) -> None:
    if shell == "bash" and not Path("/bin/bash").exists():
        pytest.skip("click asks bash for its version, and there is none")
    done = _run("-c", ENTRY, _ORDERPROOF_COMPLETE=f"{shell}_source")
    assert 0 == done.returncode
    assert piece in done.stdout
    assert "_ORDERPROOF_COMPLETE" in done.stdout


def test_the_shell_is_told_the_commands() -> None:
    done = _run("-c", ENTRY, _ORDERPROOF_COMPLETE="bash_complete", COMP_WORDS="orderproof re", COMP_CWORD="1")
    assert {"plain,record", "plain,replay", "plain,reproduce"} == set(done.stdout.split())


def _action() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    return data


def _step() -> dict[str, Any]:
    (step,) = [step for step in _action()["runs"]["steps"] if step.get("id") == "check"]
    assert isinstance(step, dict)
    return step


def test_the_action_s_inputs_are_options_of_check() -> None:
    options = {name.removeprefix("--") for parameter in check.params for name in parameter.opts}
    assert set(_action()["inputs"]) - {"python-version"} <= options


def test_the_action_uses_each_of_its_inputs() -> None:
    text = yaml.safe_dump(_action()["runs"])
    assert set(_action()["inputs"]) == set(re.findall(r"inputs\.([\w-]+)", text))


def test_nothing_that_users_give_is_read_as_shell() -> None:
    assert not any("${{" in step.get("run", "") for step in _action()["runs"]["steps"])


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    """A runner's folder, in which `orderproof` notes its words, writes a summary and ends with 1."""
    program = tmp_path / "orderproof" / "bin" / "orderproof"
    program.parent.mkdir(parents=True)
    script = '#!/bin/sh\nmkdir -p out; echo "broken" > out/summary.md\nprintf "%s\\n" "$@" > words\nexit 1\n'
    program.write_text(script, encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return tmp_path


def test_the_action_gives_words_as_they_are_and_passes_the_exit_code_on(stage: Path) -> None:
    given = {"BASE_URL": "http://127.0.0.1:1/$(id)", "ONLY": "CAP-* RFD-1", "MAX_TIME": "5", "STRICT": "true"}
    names = [name for name in _step()["env"] if name.startswith("INPUT_")]
    environment = dict.fromkeys(names, "") | {f"INPUT_{name}": value for name, value in given.items()}
    environment |= {"INPUT_REPORT": "out", "INPUT_PROFILE": "quick", "RUNNER_TEMP": str(stage)}
    files = {"GITHUB_OUTPUT": stage / "output", "GITHUB_STEP_SUMMARY": stage / "summary"}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", _step()["run"]],
        cwd=stage,
        env={"PATH": os.environ["PATH"], **environment, **{name: str(file) for name, file in files.items()},
             "ORDERPROOF_USERNAME": "", "ORDERPROOF_PASSWORD": ""},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert 1 == done.returncode, done.stderr
    assert "exit-code=1\n" == files["GITHUB_OUTPUT"].read_text(encoding="utf-8")
    assert "broken\n" == files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")
    words = "check --report out --profile quick --base-url http://127.0.0.1:1/$(id) --max-time 5"
    wanted = [*words.split(), "--only", "CAP-*", "--only", "RFD-1", "--strict"]
    assert wanted == (stage / "words").read_text(encoding="utf-8").split()


def test_the_gitlab_job_keeps_the_report() -> None:
    job = yaml.safe_load((DOCS / "ci" / "gitlab.yml").read_text(encoding="utf-8"))[".orderproof"]
    assert "orderproof-report/junit.xml" == job["artifacts"]["reports"]["junit"]
    assert ["orderproof check $ORDERPROOF_OPTIONS --report orderproof-report"] == job["script"]


def test_the_image_takes_in_what_the_wheel_is_built_from() -> None:
    left_out = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    needed = {"pyproject.toml", "README.md", "LICENSE", "conformance", "strategies", "spec", "cassettes"}
    assert not needed & set(left_out)
    assert 'ENTRYPOINT ["orderproof"]' in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
