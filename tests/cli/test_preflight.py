"""The checks one by one: files, folders, launch, images, heads, checkpoints."""

from __future__ import annotations

import errno
import io
import socket
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image
from torch import nn

from hrnet_plugin.checks.data.mask_files import read_mask
from hrnet_plugin.checks.data.pictures import UNREADABLE, Picture, look_at
from hrnet_plugin.cli import launch, preflight
from hrnet_plugin.cli.explain import explained
from hrnet_plugin.deploy.preparing import read_image
from hrnet_plugin.engine.image_files import CheckImageFiles, check_image_file
from hrnet_plugin.engine.network_fit import check_network
from hrnet_plugin.errors import CheckpointError, ConfigError, DataError, LaunchError, MissingDependency, find_user_error


def _encoded(kind: str, **options: object) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def _with_thumbnail() -> bytes:
    """A JPEG whose header holds a whole small JPEG, as cameras write it."""
    thumbnail, image = _encoded("JPEG", quality=20), _encoded("JPEG")
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    return image[:2] + segment + image[2:]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP"])
def test_whole_images_pass_and_cut_ones_are_refused(kind: str, tmp_path: Path):
    path, content = tmp_path / "image", _encoded(kind)
    path.write_bytes(content)
    check_image_file(path)
    for size in (len(content) - 1 if kind != "JPEG" else len(content) - 2, len(content) // 2, 20):
        path.write_bytes(content[:size])
        with pytest.raises(DataError, match=f"image {path}: found a truncated file \\({size} bytes"):
            check_image_file(path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match="an empty file"):
        check_image_file(path)


@pytest.mark.parametrize(
    "content",
    [_encoded("JPEG", progressive=True), _encoded("JPEG") + b"\xff\xda appended by a camera", _with_thumbnail()],
    ids=["progressive", "appendix", "thumbnail"],
)
def test_unusual_jpegs_pass(content: bytes, tmp_path: Path):
    (tmp_path / "a.jpg").write_bytes(content)
    check_image_file(tmp_path / "a.jpg")


def test_cut_jpeg_is_refused_in_disguise(tmp_path: Path):
    path, image = tmp_path / "a.jpg", _with_thumbnail()
    for content in (image[:-300], image[:-300] + bytes(300)):  # padded by a download that reserved its room
        path.write_bytes(content)
        with pytest.raises(DataError, match="truncated"):
            check_image_file(path)


def test_animated_pngs_are_refused_before_opencv_reads_them(tmp_path: Path):
    """OpenCV 4.11 ends the process over one with damaged pixels."""
    frames = [Image.fromarray(np.random.default_rng(seed).integers(0, 255, (40, 30, 3), np.uint8)) for seed in (0, 1)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    whole = (tmp_path / "a.png").read_bytes()
    damaged = bytearray(whole)
    damaged[whole.index(b"IDAT") + 500] ^= 255
    for content in (whole, bytes(damaged), bytes(damaged) + b"appended"):
        (tmp_path / "a.jpg").write_bytes(content)  # whatever the name says
        with pytest.raises(DataError, match="found an animated PNG, expected a plain one"):
            CheckImageFiles()({"img_path": str(tmp_path / "a.jpg")})
        with pytest.raises(DataError, match="an animated PNG"):
            read_image(tmp_path / "a.jpg")
        assert look_at(tmp_path / "a.jpg", decode=True) == Picture(wrong=UNREADABLE, why="an animated PNG")
        assert read_mask(tmp_path / "a.jpg", Picture()).wrong == UNREADABLE


def test_transform_checks_image_and_mask_and_changes_nothing(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(_encoded("PNG"))
    good, check = str(tmp_path / "a.png"), CheckImageFiles()
    results = {"img_path": good, "seg_map_path": good}
    assert check(results) is results
    assert results == {"img_path": good, "seg_map_path": good}
    with pytest.raises(DataError, match="No such file"):
        check({"img_path": good, "seg_map_path": str(tmp_path / "b.png")})
    in_memory = {"img_path": "absent.jpg", "img": np.zeros((2, 2, 3))}
    assert check(in_memory) is in_memory
    assert check({"img_path": "s3://bucket/a.jpg"})["img_path"] == "s3://bucket/a.jpg"


class _Files(torch.utils.data.Dataset):
    def __init__(self, paths: list[str]):
        self.paths, self.check = paths, CheckImageFiles()

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> int:
        self.check({"img_path": self.paths[index]})
        return index


def test_broken_image_met_by_a_loader_worker_is_named(tmp_path: Path):
    path = tmp_path / "a.jpg"
    path.write_bytes(_encoded("JPEG")[:-500])
    loader = torch.utils.data.DataLoader(_Files([str(path)]), num_workers=1)
    with pytest.raises(DataError) as caught, explained(Config()):
        next(iter(loader))
    line = str(find_user_error(caught.value))
    assert line.startswith(f"image {path}: found a truncated file")
    assert "Traceback" not in line


def test_undecodable_image_is_named():
    with pytest.raises(DataError, match=r"image a/b.jpg: found a file that no decoder reads"), explained(Config()):
        raise AssertionError("`failed to load image: a/b.jpg` occurs when loading `a/b.jpg`.Please check")


def test_a_missing_albumentations_is_named_with_its_commands():
    wanted = r"albumentations: found not installed.*pip install --no-deps"
    with pytest.raises(MissingDependency, match=wanted), explained(Config()):
        raise RuntimeError("albumentations is not installed")


def test_defects_are_not_explained_away():
    with pytest.raises(RuntimeError, match="of our own"), explained(Config()):
        raise RuntimeError("a defect of our own")


@pytest.mark.parametrize(
    ("kind", "root", "words"),
    [
        ("CocoDataset", "data/coco", "https://cocodataset.org/#download"),
        ("CityscapesDataset", "data/cityscapes", "https://www.cityscapes-dataset.com/downloads/"),
        ("CocoDataset", "data/people", "hrnet data make"),
        ("MyDataset", "data/mine", "Point --data-root"),
    ],
)
def test_missing_data_says_where_to_get_it(kind: str, root: str, words: str, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a checkout where the demo ran has data
    cfg = Config({"train_dataloader": {"dataset": {"type": kind, "data_root": root}}})
    with pytest.raises(DataError) as caught:
        preflight.check_data(cfg, ("train_dataloader",), ())
    assert words in str(caught.value)
    assert f"no folder {root}" in str(caught.value)
    assert "--data-root" in str(caught.value)
    assert "`make demo`" in str(caught.value)


@pytest.mark.parametrize(
    ("config", "folder", "words"),
    [
        ("object_detection/coco/fcos_hrnetv2p-w18-gn-head_4xb4-1x_coco", "data/coco/", "https://cocodataset.org/#download"),
        ("image_classification/imagenet/hrnet-w18_4xb32_in1k", "data/imagenet", "https://image-net.org/download.php"),
        ("semantic_segmentation/voc12aug/fcn_hr18_4xb4-20k_voc12aug-512x512", "data/VOCdevkit/VOC2012", "voc2012"),
        ("semantic_segmentation/vaihingen/fcn_hr18_4xb4-80k_vaihingen-512x512", "data/vaihingen", "isprs.org"),
        ("semantic_segmentation/ade20k/fcn_hr18_4xb4-80k_ade20k-512x512", "data/ade/ADEChallengeData2016", "ADEChall"),
    ],
)  # fmt: skip
def test_missing_data_of_each_framework(config: str, folder: str, words: str, project_root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = Config.fromfile(str(project_root / "configs" / f"{config}.py"))
    with pytest.raises(DataError) as caught:
        preflight.check_data(cfg, ("train_dataloader", "val_dataloader"), ("val_evaluator",))
    line = str(caught.value)
    assert f"no folder {folder}" in line
    assert words in line
    assert ("as https://github.com/open-mmlab/" in line) == (folder != "data/coco/")


def test_missing_parts_of_data_sets(project_root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    imagenet = {"type": "ImageNet", "data_root": str(tmp_path), "split": "train"}
    cfg = Config({"default_scope": "mmpretrain", "train_dataloader": {"dataset": imagenet}})
    with pytest.raises(DataError, match=rf"images of ImageNet: no folder {tmp_path}/train \(split\). Get the images"):
        preflight.check_data(cfg, ("train_dataloader",), ())
    (tmp_path / "train").mkdir()
    preflight.check_data(cfg, ("train_dataloader",), ())
    for folder in ("annotations", "train2017"):
        (tmp_path / "data/coco" / folder).mkdir(parents=True)
    (tmp_path / "data/coco/annotations/instances_train2017.json").touch()
    cfg = Config.fromfile(str(project_root / "configs/instance_segmentation/coco/htc_hrnetv2p-w18_20e_coco.py"))
    with pytest.raises(DataError, match=r"stuffthingmaps/train2017 \(data_prefix.seg\). Get stuffthingmaps_train"):
        preflight.check_data(cfg, ("train_dataloader",), ())


def test_annotations_and_folders_of_prefixes(tmp_path: Path):
    dataset = {"type": "A", "data_root": str(tmp_path), "ann_file": "a.json", "data_prefix": {"img": "images"}}
    cfg = Config({"val_dataloader": {"dataset": dataset}, "val_evaluator": [{"type": "M", "ann_file": "absent.json"}]})
    with pytest.raises(DataError, match=f"annotations of A: no file {tmp_path}/a.json"):
        preflight.check_data(cfg, ("val_dataloader",), ("val_evaluator",))
    (tmp_path / "a.json").touch()
    with pytest.raises(DataError, match=rf"no folder {tmp_path}/images \(data_prefix.img\)"):
        preflight.check_data(cfg, ("val_dataloader",), ("val_evaluator",))
    (tmp_path / "images").mkdir()
    with pytest.raises(DataError, match=r"annotations of val_evaluator: no file absent.json"):
        preflight.check_data(cfg, ("val_dataloader",), ("val_evaluator",))
    assert list(preflight.annotation_files(cfg)) == [tmp_path / "a.json", Path("absent.json")]


def test_checkpoint_files(tmp_path: Path):
    path = tmp_path / "a.pth"
    with pytest.raises(CheckpointError, match=f"--resume {path}: found no such file"):
        preflight.check_checkpoint_file(path, "--resume")
    with pytest.raises(CheckpointError, match="found a folder"):
        preflight.check_checkpoint_file(tmp_path)
    torch.save({"a": torch.zeros(500)}, path)
    preflight.check_checkpoint_file(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"a truncated file \(1000 bytes"):
        preflight.check_checkpoint_file(path)
    path.write_bytes(b"")
    with pytest.raises(CheckpointError, match="an empty file"):
        preflight.check_checkpoint_file(path)
    cfg = Config({"model": {"backbone": {"init_cfg": {"type": "Pretrained", "checkpoint": "absent.pth"}}}})
    with pytest.raises(CheckpointError, match=r"pretrained weights absent.pth: found no such file"):
        preflight.check_pretrained_files(cfg)


def test_writable(tmp_path: Path):
    preflight.check_writable(tmp_path / "a" / "b", "work dir")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=f"work dir {tmp_path}/file/run: found Not a directory"):
        preflight.check_writable(tmp_path / "file" / "run", "work dir")


def _launched(monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    defaults = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "LOCAL_WORLD_SIZE": "2"}
    for name, value in {**defaults, **environment}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("TORCHELASTIC_USE_AGENT_STORE", raising=False)


def test_port_in_use(monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as other:
        other.bind(("", 0))
        other.listen()
        port = str(other.getsockname()[1])
        _launched(monkeypatch, MASTER_PORT=port)
        with pytest.raises(LaunchError, match=f"port {port}: found it is in use"):
            launch.check_launch("pytorch")
        # torchrun's own agent listens there; other ranks connect instead of listening.
        monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
        launch.check_launch("pytorch")
        monkeypatch.delenv("TORCHELASTIC_USE_AGENT_STORE")
        monkeypatch.setenv("RANK", "1")
        launch.check_launch("pytorch")


def test_port_that_is_for_root_alone(monkeypatch: pytest.MonkeyPatch):
    def bind(self, address):
        raise PermissionError(errno.EACCES, "Permission denied")

    _launched(monkeypatch, MASTER_PORT="80")
    monkeypatch.setattr(socket, "socket", type("Socket", (socket.socket,), {"bind": bind}))
    with pytest.raises(LaunchError, match=r"port 80: found it may not be used without root. Set PORT"):
        launch.check_launch("pytorch")


@pytest.mark.parametrize(("name", "value"), [("RANK", "x"), ("LOCAL_WORLD_SIZE", ""), ("MASTER_PORT", "70000")])
def test_numbers_of_the_launcher(name: str, value: str, monkeypatch: pytest.MonkeyPatch):
    _launched(monkeypatch, **{"MASTER_PORT": "29500", name: value})
    with pytest.raises(LaunchError, match=f"^{name} '{value}': expected a number from"):
        launch.check_launch("pytorch")


def test_slurm_without_its_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name, value in {
        "SLURM_PROCID": "0",
        "SLURM_NTASKS": "2",
        "SLURM_NODELIST": "n1",
        "PATH": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(LaunchError, match=r"`scontrol show hostnames n1` does not say it: .* Set MASTER_ADDR"):
        launch.check_launch("slurm")


def test_port_taken_after_the_check_is_explained(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MASTER_PORT", "29511")
    error = RuntimeError("The server socket has failed to listen on any local network address. EADDRINUSE")
    with pytest.raises(LaunchError, match="port 29511"), explained(Config()):
        raise error


@pytest.mark.parametrize(("launcher", "name"), [("pytorch", "RANK"), ("slurm", "SLURM_PROCID"), ("mpi", "OMPI_COMM")])
def test_launcher_that_launched_nothing(launcher: str, name: str, monkeypatch: pytest.MonkeyPatch):
    for variable in ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_LOCAL_RANK"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(LaunchError, match=f"--launcher {launcher}: found no {name}"):
        launch.check_launch(launcher)


def test_ranks_and_devices(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(
        LaunchError, match="2 processes on this machine: found 1 visible GPU, expected one GPU for each"
    ):
        launch.check_devices(2)
    assert launch.check_devices(1) == []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert launch.check_devices(1) == []
    assert launch.check_devices(2)[0].startswith("no GPU is visible: 2 processes share the CPU")


class _Backbone(nn.Module):
    def __init__(self, *channels: int):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(3, count, 1) for count in channels)
        self.norm = nn.BatchNorm2d(3)

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        return [conv(self.norm(image)) for conv in self.convs]


def _network(backbone: nn.Module, **heads: nn.Module) -> nn.Module:
    model = nn.Module()
    model.backbone = backbone
    for name, head in heads.items():
        setattr(model, name, head)
    return model


def _fcn(**given: object) -> nn.Module:
    from mmseg.models import FCNHead

    return FCNHead(channels=4, num_classes=3, norm_cfg={"type": "BN"}, **given)


def test_head_of_a_segmentation_network():
    select = {"in_index": (0, 2), "input_transform": "resize_concat"}
    model = _network(_Backbone(4, 6, 8), decode_head=_fcn(in_channels=(4, 8), **select))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    check_network(model, {"decode_head": {"in_channels": [4, 8]}})
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert model.backbone.norm.training
    wrong = _network(_Backbone(4, 6, 8), decode_head=_fcn(in_channels=(4, 6), **select))
    with pytest.raises(ConfigError, match=r"model.decode_head.in_channels: found \[4, 6\], expected \[4, 8\]"):
        check_network(wrong, {"decode_head": {"in_channels": [4, 6]}})
    with pytest.raises(
        ConfigError, match=r"model.decode_head.in_index: found \[0, 2\], expected indices of 1 features"
    ):
        check_network(_network(_Backbone(4), decode_head=model.decode_head), {"decode_head": {}})


def test_head_of_an_auxiliary_list():
    heads = nn.ModuleList([_fcn(in_channels=4, in_index=0), _fcn(in_channels=5, in_index=1)])
    model = _network(_Backbone(4, 6), auxiliary_head=heads)
    with pytest.raises(ConfigError, match=r"model.auxiliary_head.1.in_channels: found 5, expected 6"):
        check_network(model, {"auxiliary_head": [{"in_channels": 4}, {"in_channels": 5}]})


def test_head_of_a_pose_network():
    from mmpose.models import HeatmapHead

    head = HeatmapHead(in_channels=6, out_channels=2, deconv_out_channels=None)
    check_network(_network(_Backbone(4, 6), head=head), {"head": {"in_channels": 6}})
    with pytest.raises(ConfigError, match=r"model.head.in_channels: found 6, expected 4"):
        check_network(_network(_Backbone(6, 4), head=head), {"head": {"in_channels": 6}})


def test_own_heads_and_networks_are_left_alone():
    class MyHead(nn.Module):
        in_channels = 99

        def forward(self, features: list[torch.Tensor]) -> torch.Tensor:
            return features[0]

    check_network(_network(_Backbone(4), head=MyHead()), {"head": {}})
    check_network(nn.Linear(2, 2), {})
    fixed_size = _network(nn.Sequential(nn.Conv2d(3, 4, 1), nn.Flatten(), nn.Linear(7, 2)), head=MyHead())
    check_network(fixed_size, {"head": {}})


def test_neck_that_does_not_fit():
    class Neck(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(5, 4, 1)

        def forward(self, features: list[torch.Tensor]) -> torch.Tensor:
            return self.conv(features[-1])

    with pytest.raises(ConfigError, match=r"model.neck: found a layer for 5 channels where 6 arrive, .*\[4, 6\]"):
        check_network(_network(_Backbone(4, 6), neck=Neck(), head=nn.Identity()), {"head": {}})


def test_notices_stand_at_the_start_and_at_the_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    from types import SimpleNamespace

    from hrnet_plugin.engine import NoticeHook
    from hrnet_plugin.models import pretrained

    monkeypatch.setenv("HRNET_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(pretrained, "_missing", {})
    said: list[str] = []
    runner = SimpleNamespace(logger=SimpleNamespace(warning=said.append))
    own = NoticeHook(["no boxes"], at_end=False)
    for moment in (own.before_train, own.before_test, own.after_run):
        moment(runner)
    assert said == ["no boxes", "no boxes"]
    said.clear()
    noted = NoticeHook()
    missing = pretrained.note_missing("https://example.org/a.pth")
    noted.before_train(runner)
    noted.after_run(runner)
    assert said == [str(missing), f"to keep in mind: {missing}"]
