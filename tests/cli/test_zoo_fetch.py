"""`hrnet zoo fetch` fills the store, and the other commands take their weights from it by name."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from hrnet_plugin.cli.zoo_fetch import ProgressBar

NAMED = "https://example.org/models/hrnet_w18.pth"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a web server for the folder `site`, where a file `other.pth` lies."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "HRNET_MIRRORS"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "other.pth").write_bytes(b"other weights")
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def published(site: str, pose_config: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Weights for the network of `pose_config` on the site; the zoo calls them `tiny`, and the config names them so."""
    from hrnet_plugin import HRNet

    weights = HRNet(extra=Config.fromfile(pose_config).extra, multiscale_output=False).state_dict()
    weights["conv1.weight"].fill_(0.125)
    torch.save(weights, "site/tiny.pth")
    digest = hashlib.sha256(Path("site/tiny.pth").read_bytes()).hexdigest()
    folder = Path("zoo/_base_/weights").resolve()
    folder.mkdir(parents=True)
    row = f"{{Name: tiny, Weights: '{site}/tiny.pth', SHA256: '{digest}'}}"
    (folder / "metafile.yml").write_text(f"Models: [{row}]")
    (folder.parents[1] / "task").mkdir()
    known = "In Collection: HRNet, Metadata: {Training Data: d}, Results: [{Task: t, Dataset: d, Metrics: {m: 1}}]"
    model = f"{{Name: net, Config: zoo/task/net.py, {known}}}"
    (folder.parents[1] / "task" / "metafile.yml").write_text(f"Models: [{model}]")
    monkeypatch.setattr("hrnet_plugin.published.sources.project_dir", lambda name: folder.parents[1])
    pose_config.write_text(pose_config.read_text().replace(NAMED, "hrnet://tiny"))
    return Path("site/tiny.pth").resolve()


def first_weights(path: str) -> torch.Tensor:
    """The first convolution of a checkpoint of training."""
    return torch.load(path, weights_only=False)["state_dict"]["backbone.conv1.weight"]


def test_a_name_and_a_url_are_fetched(hrnet, published, site):
    outcome = hrnet("zoo", "fetch", "tiny", f"{site}/other.pth", "hrnet://tiny")
    assert outcome.status == 0, outcome.err
    tiny, other = Path("weights/tiny.pth").resolve(), Path("weights/other.pth").resolve()
    first, second = outcome.out.splitlines()
    assert first.startswith(f"tiny: {tiny} (")
    assert "MB, SHA-256 checked: " in first
    assert second == f"{site}/other.pth: {other} (0.0 MB, not checked: no hash was published)"
    assert hrnet("zoo", "fetch", "tiny").out.startswith(f"tiny: {tiny} (was there, ")
    assert tiny.read_bytes() == published.read_bytes()
    assert other.read_bytes() == b"other weights"


def test_mirrors_come_first_and_the_folder_can_be_named(hrnet, published, site):
    outcome = hrnet("zoo", "fetch", "tiny", "--mirror", f"{site}/none", "--mirror", site, "--dir", "here")
    assert outcome.status == 0, outcome.err
    assert outcome.err.splitlines() == [f"{site}/none/tiny.pth: 404 File not found"]
    assert Path("here/tiny.pth").read_bytes() == published.read_bytes()
    assert not Path("weights").exists()


def test_what_a_config_starts_from_is_fetched(hrnet, published, pose_config, seg_config, site):
    pose_config.write_text(pose_config.read_text() + f"\nload_from = '{site}/other.pth'\n")
    seg_config.write_text(
        "model = dict(type='EncoderDecoder', backbone=dict(type='hrnet_plugin.HRNet', arch='w18', init_cfg=None))\n"
    )
    outcome = hrnet("zoo", "fetch", "--pretrained", pose_config, "--pretrained", seg_config)
    assert outcome.status == 0, outcome.err
    assert {path.name for path in Path("weights").glob("*.pth")} == {"tiny.pth", "other.pth"}
    assert f"{seg_config.stem}: starts from random weights, nothing to fetch" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "hrnet zoo fetch: found no names, expected names of weights, or --pretrained CONFIG"),
        (["tiny", "tinny"], "weights 'tinny': found no such name in the zoo. Did you mean 'tiny'?"),
        (["net"], "weights 'net': found a model without published weights"),
        (["../x.pth"], "hrnet zoo fetch ../x.pth: found a path, expected a name of the zoo or a URL"),
        (["hrnet://../../x"], "weights '../../x': found no such name in the zoo"),
        (["tiny", "--mirror", "file:///etc"], "mirror 'file:///etc': expected a base URL such as"),
        (["torchvision://resnet50"], "resnet50. Put the file there by hand"),
        (["--pretrained", "nowhere"], "config 'nowhere': found no such file"),
    ],
)
def test_what_cannot_be_fetched_is_told_and_nothing_is_fetched(refused, published, arguments, line):
    assert line in refused("zoo", "fetch", *arguments)
    assert not Path("weights").exists()


def test_no_answer_is_one_line_with_file_folder_and_url(hrnet, published, site):
    published.unlink()
    outcome = hrnet("zoo", "fetch", "tiny", "--mirror", f"{site}/none")
    assert (outcome.status, outcome.out) == (2, "")
    (line,) = outcome.err.splitlines()
    assert f"{site}/none/tiny.pth: 404" in line
    line = line.replace(f"{site}/none/tiny.pth: 404 File not found; ", "")
    assert f"weights tiny: tiny.pth could not be fetched: found {site}/tiny.pth: 404" in line
    assert f"expected it at {Path('weights/tiny.pth').resolve()}" in line


def test_training_starts_from_the_store(hrnet, data, pose_config, published):
    assert hrnet("zoo", "fetch", "--pretrained", pose_config).status == 0
    outcome = hrnet(
        "train", pose_config, "--data-root", data, "--require-pretrained", "--no-validate", "--work-dir", "run",
        "--cfg-options", "optim_wrapper.optimizer.lr=0.0",
    )  # fmt: skip
    assert outcome.status == 0, outcome.err
    assert torch.equal(first_weights("run/epoch_1.pth"), torch.full((64, 3, 3, 3), 0.125))


def test_training_without_them_goes_on_and_says_what_fetches_them(hrnet, refused, data, pose_config, published):
    arguments = ["train", pose_config, "--data-root", data, "--no-validate", "--work-dir", "run"]
    outcome = hrnet(*arguments)
    assert outcome.status == 0, outcome.err
    note = f"tiny is not at {Path('weights/tiny.pth').resolve()} (to use them: hrnet zoo fetch tiny)"
    before, _, after = outcome.out.partition("Epoch(train)")
    assert note in before
    assert note in after
    assert not Path("weights").exists()
    assert f"{published.name}. To have it: hrnet zoo fetch tiny" in refused(*arguments, "--require-pretrained")


@pytest.mark.parametrize("command", ["train", "load_from", "test"])
def test_a_file_with_another_hash_is_refused_and_stays(refused, data, pose_config, published, command):
    stored = Path("weights/tiny.pth").resolve()
    stored.parent.mkdir()
    stored.write_bytes(b"something else")
    more = {"train": [], "load_from": ["--cfg-options", "load_from=hrnet://tiny"], "test": ["hrnet://tiny"]}[command]
    if command == "load_from":
        pose_config.write_text(pose_config.read_text().replace("'hrnet://tiny'", "'a.pth'"))
    line = refused("test" if command == "test" else "train", pose_config, *more, "--data-root", data)
    assert f"weights {stored}: found SHA-256 " in line
    assert line.endswith("as published. Move the file away, then run: hrnet zoo fetch tiny")
    assert stored.read_bytes() == b"something else"


def test_a_checkpoint_to_test_is_named_the_same_way(hrnet, refused, data, pose_config, published, site):
    line = refused("test", pose_config, "hrnet://tiny", "--data-root", data)
    stored = Path("weights/tiny.pth").resolve()
    expected = f"found nothing at {stored}, expected the file from {site}/tiny.pth. Fetch it with: hrnet zoo fetch tiny"
    assert line == f"hrnet: error: checkpoint hrnet://tiny: {expected}"

    from mmpose.registry import MODELS
    from mmpose.utils import register_all_modules

    register_all_modules()
    torch.save({"state_dict": MODELS.build(Config.fromfile(pose_config).model).state_dict()}, "site/whole.pth")
    metafile = Path("zoo/_base_/weights/metafile.yml")
    digest = hashlib.sha256(Path("site/whole.pth").read_bytes()).hexdigest()
    row = f"{{Name: whole, Weights: '{site}/whole.pth', SHA256: '{digest}'}}"
    metafile.write_text(metafile.read_text().replace("]", f", {row}]"))
    assert hrnet("zoo", "fetch", "whole").status == 0
    outcome = hrnet("test", pose_config, "hrnet://whole", "--data-root", data, "--gt-boxes")
    assert outcome.status == 0, outcome.err
    assert "coco/AP" in outcome.out


def test_the_bar_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch):
    class Terminal(io.StringIO):
        """A stream that is one."""

        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    bar = ProgressBar()
    bar.begins("https://host/net.pth", 400, 1000)
    bar.received(100)
    bar.ends()
    bar.received(1)
    shown = sys.stderr.getvalue()
    assert "net.pth:  40%" in shown
    assert "400/1.00k" in shown
    bar.waiting("net.pth")
    assert sys.stderr.getvalue().endswith("net.pth: another process is fetching it, waiting\n")
