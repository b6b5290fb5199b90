"""What a user chooses from: networks of published accuracy, measured here."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from ...published.index import ZooModel, read_index
from ..plans import Plan
from ..plots import PUBLISHED_AP
from ..subjects import Network, Subject
from .subjects import rtmpose

RUNTIME = "openvino"
_MODELS = {
    "W32 256x192": ("td-hm_hrnet-w32_8xb64-210e_coco-256x192", (192, 256)),
    "W32 384x288": ("td-hm_hrnet-w32_8xb64-210e_coco-384x288", (288, 384)),
    "W48 256x192": ("td-hm_hrnet-w48_8xb32-210e_coco-256x192", (192, 256)),
    "W48 384x288": ("td-hm_hrnet-w48_8xb32-210e_coco-384x288", (288, 384)),
    "Lite-HRNet-18 256x192": ("td-hm_litehrnet-18_8xb64-210e_coco-256x192", (192, 256)),
    "Lite-HRNet-30 256x192": ("td-hm_litehrnet-30_8xb64-210e_coco-256x192", (192, 256)),
}


def choices() -> Plan:
    """Published networks through one runtime, each with the AP on COCO val2017 that its authors published."""
    index = {model.name: model for model in read_index()}
    subjects = [
        Subject(title, Network(str(index[name].config), size=size), runtime=RUNTIME, facts=_facts(index[name]))
        for title, (name, size) in _MODELS.items()
        if name in index
    ]
    for letter in "ml":
        network = rtmpose(letter)
        facts = {PUBLISHED_AP: found} if (found := _rtmpose_ap(Path(network.config).stem)) else {}
        subjects.append(Subject(f"RTMPose-{letter} 256x192", network, runtime=RUNTIME, facts=facts))
    title = "Latency against published accuracy: openvino fp32, batch 1, sizes as height x width"
    return Plan("choices", title, tuple(subjects), share=1 / 3, minutes=12)


def _facts(model: ZooModel) -> dict[str, float]:
    found = next((result.metrics["AP"] for result in model.results if "AP" in result.metrics), None)
    return {} if found is None else {PUBLISHED_AP: float(found)}


def _rtmpose_ap(name: str) -> float | None:
    """The AP that the installed mmpose's own index gives for a model; None where mmpose is not installed."""
    found = importlib.util.find_spec("mmpose")
    if found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / ".mim/configs/body_2d_keypoint/rtmpose/coco/rtmpose_coco.yml"
    if not path.is_file():
        return None
    import yaml

    models = yaml.safe_load(path.read_text(encoding="utf-8"))["Models"]
    results = [model["Results"][0]["Metrics"] for model in models if model["Name"] == name]
    return float(results[0]["AP"]) if results else None
