"""What the pages name is there: commands, flags, configs, files. Python compiles, and runs where it says so."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest
from page_blocks import blocks, commands, pages, split
from site_links import links

from hrnet_plugin.cli.main import build_parser, main

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [*pages(ROOT / "docs"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]
#: Configs that readers make for themselves.
INVENTED = {"mine.py", "configs/horses.py", "configs/leaves.py", "configs/five.py", "configs/bodies.py"}
#: Words of a command that stand for something of the reader's.
PLACEHOLDER = re.compile(r"[A-Z][A-Z_]+$|\.\.\.$")
_SPAN = re.compile(r"`(hrnet [^`\n]*(?:\n[^`\n]+)?)`")
_SCRIPTS = {"tools/train.py": "train", "tools/test.py": "test"}


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def all_commands() -> list[tuple[Path, list[str]]]:
    return [(page, words) for page in PAGES for block in blocks(text_of(page)) for words in commands(block)]


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture(scope="module")
def parser() -> argparse.ArgumentParser:
    """The parser of the real command."""
    return build_parser()


def parse(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """The arguments of a command; a wrong one fails the test with the parser's own words."""
    words = ["hrnet", _SCRIPTS[words[1]], *words[2:]] if words[0] == "python" and words[1] in _SCRIPTS else words
    return parser.parse_args(words[1:])


def test_there_are_commands():
    assert len(all_commands()) > 100


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_parse(parser, page, capsys):
    for words in (words for block in blocks(text_of(page)) for words in commands(block)):
        if words[0] != "hrnet" and words[1] not in _SCRIPTS:
            assert (ROOT / words[1]).is_file(), words
            continue
        if "..." in words or words[1:] == ["--help"]:
            continue
        try:
            args = parse(parser, words)
        except SystemExit as done:  # flags such as --list end the parser well
            if done.code:
                pytest.fail(f"{' '.join(words)}: {capsys.readouterr().err}")
            continue
        check_config(words, getattr(args, "config", None))


def check_config(words: list[str], config: object) -> None:
    """A config that a command names is one of ours, or the reader's own."""
    from hrnet_plugin.config_files import find_config

    names = config if isinstance(config, list) else [config]
    for name in names:
        if isinstance(name, str) and not PLACEHOLDER.match(name) and name not in INVENTED:
            assert find_config(name).is_file(), words


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_in_the_text_have_real_verbs_and_flags(parser, page):
    for span in _SPAN.findall(re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)):
        words = split(span.replace("\n", " "))
        here, verbs = parser, []
        for word in words[1:]:
            choices = next((a.choices for a in here._actions if isinstance(a, argparse._SubParsersAction)), None)
            if choices is None or PLACEHOLDER.match(word):
                break
            assert word in choices, f"{span}: {word}"
            here = choices[word]
            verbs.append(word)
        flags = {flag for action in here._actions for flag in action.option_strings}
        for word in words[1 + len(verbs) :]:
            if word.startswith("--") and word != "--":
                assert word in flags, f"{span}: {word}"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_targets_of_make_are_there(page):
    targets = set(re.findall(r"^([\w-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    used = re.findall(r"(?:^|`)make ([\w-]+)", text_of(page), re.MULTILINE)
    assert set(used) <= targets


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_linked_files_are_there(page):
    for path, _ in links(text_of(page)):
        assert not path or (page.parent / path).exists(), path


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_python_compiles(page):
    for block in blocks(text_of(page)):
        if block.language == "python":
            compile(block.text, str(page), "exec")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_no_line_begins_with_the_mark_of_a_number(page):
    """GitHub would end the paragraph there."""
    text = re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)
    assert not re.findall(r"^ *<!--(?! ).*$", text, re.MULTILINE)


def run_marked(page: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """Runs the blocks of a page that are to be run; returns the names that its Python leaves behind."""
    marked = [block for block in blocks(text_of(page)) if block.mark == "run"]
    assert marked
    names: dict[str, object] = {}
    for block in marked:
        if block.language == "python":
            exec(compile(block.text, str(page), "exec"), names)
            promised = re.findall(r"# (\[\(.*\])$", block.text, re.MULTILINE)
            printed = capsys.readouterr().out
            assert all(line in printed for line in promised)
        assert not any(main(words[1:]) for words in commands(block))
    return names


def test_a_network_of_ones_own_runs(checkout, docs, capsys):
    assert len(run_marked(docs / "hrnet_explained.md", capsys)["outputs"]) == 3


def test_converted_weights_of_timm_give_its_features(checkout, docs, capsys, forget_runs):
    import torch

    names = run_marked(docs / "coming_from.md", capsys)
    forget_runs()
    theirs, image = names["theirs"].eval(), torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        stem = theirs.act2(theirs.bn2(theirs.conv2(theirs.act1(theirs.bn1(theirs.conv1(image))))))
        for one, other in zip(names["ours"](image), theirs.stages(stem), strict=True):
            assert torch.equal(one, other)
