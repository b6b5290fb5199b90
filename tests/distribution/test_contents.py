"""What is in the source distribution and in the wheel: everything that is needed, and nothing besides."""

from __future__ import annotations

from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import NamedTuple

import pytest
from building import SINGLE, build, carried, contents, contents_of_folder, copy_checkout, packaged, unpack

import hrnet_plugin

#: What work in a checkout leaves behind.
LITTER = (
    "hrnet_plugin/cli/__pycache__/main.cpython-311.pyc",
    "hrnet_plugin/.mim/configs/gone.py",
    "configs/__pycache__/hrnet_w32_coco.cpython-311.pyc",
    "work_dirs/hrnet_w32_coco/epoch_1.pth",
    "data/people/train/0.jpg",
    "demo/pose/predictions.png",
    "site/index.html",
    ".venv/bin/python",
    ".pytest_cache/README.md",
    "build/lib/hrnet_plugin/gone.py",
    "configs/.DS_Store",
    "configs/.ipynb_checkpoints/a.py",
    "notes.txt",
)


class Built(NamedTuple):
    """What was built, and from what."""

    source: Path
    wheel: dict[str, bytes]
    sdist: dict[str, bytes]
    wheel_of_sdist: dict[str, bytes]

    @property
    def metadata(self) -> Message:
        """The wheel's metadata."""
        return message_from_bytes(self.wheel[f"{self.dist_info}/METADATA"])

    @property
    def dist_info(self) -> str:
        """The folder of the metadata."""
        return f"hrnet_plugin-{hrnet_plugin.__version__}.dist-info"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Source distribution and wheel of a checkout that somebody has worked in, and the wheel of the former."""
    folder = tmp_path_factory.mktemp("built")
    clean, used = copy_checkout(folder / "clean"), copy_checkout(folder / "used")
    for name in LITTER:
        (used / name).parent.mkdir(parents=True, exist_ok=True)
        (used / name).write_bytes(b"litter")
    sdist = unpack(build("sdist", used, folder / "sdist"), folder / "unpacked")
    held = contents_of_folder(sdist)  # before a build puts its own folders there
    wheels = [build("wheel", source, folder / f"wheel_{source.name}") for source in (used, sdist)]
    return Built(clean, contents(wheels[0]), held, contents(wheels[1]))


def test_the_wheel_holds_the_package_and_what_it_carries(built):
    inside = {f"hrnet_plugin/.mim/{name}": name for name in carried(built.source)}
    inside |= {name: name for name in packaged(built.source)}
    assert len(inside) > 800
    assert {name for name in built.wheel if not name.startswith(built.dist_info)} == set(inside)
    assert all(built.wheel[name] == (built.source / path).read_bytes() for name, path in inside.items())


def test_the_source_distribution_holds_what_a_wheel_is_made_from(built):
    made = {"PKG-INFO", "setup.cfg"}
    found = {name for name in built.sdist if not name.startswith("hrnet_plugin.egg-info/")} - made
    assert found == packaged(built.source) | carried(built.source) | set(SINGLE)
    assert all(built.sdist[name] == (built.source / name).read_bytes() for name in found)


def test_the_wheel_of_the_source_distribution_is_that_of_the_checkout(built):
    assert built.wheel_of_sdist == built.wheel


def test_the_metadata_say_what_an_installer_and_a_reader_need(built, project_root):
    metadata = built.metadata
    assert metadata["Name"].replace("-", "_") == "hrnet_plugin"
    assert metadata["Version"] == hrnet_plugin.__version__
    assert set(metadata["Requires-Python"].split(",")) == {">=3.10", "<3.13"}
    assert (metadata["License-Expression"] or metadata["License"]) == "Apache-2.0"
    assert built.wheel[f"{built.dist_info}/licenses/LICENSE"] == (project_root / "LICENSE").read_bytes()
    assert metadata["Description-Content-Type"] == "text/markdown"
    shown = metadata.get_payload(decode=True).decode("utf-8")
    assert shown.strip() == (project_root / "README.md").read_text(encoding="utf-8").strip()
    assert b"hrnet = hrnet_plugin.cli.main:main" in built.wheel[f"{built.dist_info}/entry_points.txt"]


def test_nothing_is_required_that_pip_could_not_install_well(built):
    """A torch that is there is kept, and the frameworks go without their dependencies: neither is asked for."""
    required = [line for line in built.metadata.get_all("Requires-Dist") if "extra ==" not in line]
    assert len(required) > 8
    names = {line.split("[")[0].split("<")[0].split(">")[0].split("=")[0].strip() for line in required}
    assert not names & {"torch", "torchvision", "mmengine", "mmcv", "mmcv-lite", "mmpose", "mmsegmentation", "mmdet"}
    assert set(built.metadata.get_all("Provides-Extra")) == {"test", "deploy"}
