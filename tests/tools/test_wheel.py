"""The package as a wheel: configs found by name in an empty folder, and an import without anything installed."""

from __future__ import annotations

import shutil
import sys
import textwrap
from pathlib import Path

import pytest

CARRIED = (
    *("hrnet_plugin", "configs", "tools", "requirements"),
    *("setup.py", "pyproject.toml", "README.md", "model-index.yml"),
)


@pytest.fixture(scope="module")
def site(run, project_root: Path, tmp_path_factory) -> Path:
    """A folder into which pip installed the wheel, alone."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # a copy, since a build leaves its own folders beside setup.py
    source.mkdir()
    for name in CARRIED:
        path = project_root / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__", ".mim"))
        else:
            shutil.copy(path, source / name)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "wheel", ".", "--no-deps", "--no-build-isolation", "--wheel-dir", folder / "dist", cwd=source)
    (wheel,) = (folder / "dist").glob("hrnet_plugin-*.whl")
    run(*pip, "install", "--no-deps", "--no-index", "--target", folder / "site", wheel)
    return folder / "site"


def test_configs_tools_and_requirements_travel_inside(site, project_root):
    for name in ("configs", "tools", "requirements"):
        files = {path.relative_to(project_root) for path in (project_root / name).rglob("*") if path.is_file()}
        files = {path for path in files if "__pycache__" not in path.parts}
        assert len(files) >= 4
        for path in files:
            assert (site / "hrnet_plugin/.mim" / path).read_bytes() == (project_root / path).read_bytes()


def test_openmmlabs_index_leads_to_the_configs_inside(site, project_root):
    root = site / "hrnet_plugin/.mim"
    lines = (root / "model-index.yml").read_text(encoding="utf-8").splitlines()
    assert lines == (project_root / "model-index.yml").read_text(encoding="utf-8").splitlines()
    imported = [line.removeprefix("- ") for line in lines if line.startswith("- ")]
    assert len(imported) == 10
    assert all((root / path).is_file() for path in imported)


def test_trains_and_tests_by_config_name_in_an_empty_folder(site, run, pose_data, tmp_path, logged):
    hrnet = site / "bin/hrnet"
    options = (
        *("--data-root", pose_data, "--cfg-options", "model.backbone.arch=w18_small_v2", "model.head.in_channels=18"),
        *("train_dataloader.batch_size=4", "train_cfg.max_epochs=1", "default_hooks.logger.interval=1"),
        *(f"{loader}_dataloader.num_workers=0" for loader in ("train", "val", "test")),
        *(f"{loader}_dataloader.persistent_workers=False" for loader in ("train", "val", "test")),
    )
    run(hrnet, "train", "hrnet_w32_coco", *options, cwd=tmp_path, PYTHONPATH=str(site))

    work_dir = tmp_path / "work_dirs/hrnet_w32_coco"
    assert len(logged(work_dir, "loss")) == 2
    checkpoint = work_dir / "epoch_1.pth"
    tested = run(hrnet, "test", "hrnet_w32_coco", checkpoint, *options, cwd=tmp_path, PYTHONPATH=str(site))
    assert "coco/AP" in tested.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["work_dirs"]


BARE = """
    import sys
    sys.path.insert(0, {site!r})
    import hrnet_plugin
    print(hrnet_plugin.__version__, sorted(sys.modules.keys() & {{"torch", "numpy", "mmengine", "cv2"}}))
    try:
        hrnet_plugin.HRNet
    except ImportError as error:
        print(error)
"""


def test_import_needs_nothing_and_says_what_is_missing(site, run):
    code = textwrap.dedent(BARE).format(site=str(site))
    done = run(sys.executable, "-I", "-S", "-c", code)  # without site-packages: Python alone

    version, message = done.stdout.splitlines()
    assert version.endswith(" []")
    assert message.startswith("hrnet_plugin.HRNet: found no module named ")
    assert "hrnet doctor" in message
