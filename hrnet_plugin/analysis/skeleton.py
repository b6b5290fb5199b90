"""How a pose is drawn: names of the keypoints, the limbs between them, and the colour of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hrnet_plugin.data.skeleton import LIMBS, NAMES
from hrnet_plugin.errors import DataError

Colour = tuple[int, int, int]

SIDE_COLOURS: Mapping[str, Colour] = {"left": (255, 138, 30), "right": (40, 150, 255), "centre": (70, 205, 110)}
_WORDS = {"left": "left", "right": "right", "centre": "middle"}


@dataclass(frozen=True)
class Skeleton:
    """Names, limbs and colours of K keypoints.

    Args:
        names: K names.
        limbs: Pairs of keypoints, by index.
        colours: RGB colour (0 to 255) of each keypoint.
        limb_colours: RGB colour of each limb.

    Raises:
        DataError: the numbers of names, limbs and colours do not fit each other, or a limb ends at no keypoint.
    """

    names: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...]
    colours: tuple[Colour, ...]
    limb_colours: tuple[Colour, ...]

    def __post_init__(self) -> None:
        for limb in self.limbs:
            if not all(0 <= end < len(self.names) for end in limb):
                raise DataError("skeleton", found=f"limb {limb}", expected=f"keypoints 0 to {len(self.names) - 1}")
        if len(self.colours) != len(self.names) or len(self.limb_colours) != len(self.limbs):
            found = f"{len(self.colours)} colours of keypoints and {len(self.limb_colours)} of limbs"
            raise DataError("skeleton", found=found, expected=f"{len(self.names)} and {len(self.limbs)}")

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def by_side(cls, names: Sequence[str], limbs: Sequence[Sequence[int]] = ()) -> Skeleton:
        """A skeleton in our own colours: one for each side of the body, as the names tell it.

        Args:
            names: Of the keypoints; the side is read from them: `left_eye`, `L_eye`.
            limbs: Pairs of keypoints, by index.
        """
        sides = [side_of(name) for name in names]
        pairs = tuple((int(first), int(second)) for first, second in limbs)
        inside = [limb for limb in pairs if all(0 <= end < len(sides) for end in limb)]
        colours = [SIDE_COLOURS[_side_of_both(sides[first], sides[second])] for first, second in inside]
        return cls(tuple(names), pairs, tuple(SIDE_COLOURS[side] for side in sides), tuple(colours))

    @classmethod
    def from_metainfo(cls, metainfo: Mapping[str, Any]) -> Skeleton:
        """The skeleton of a data set of mmpose.

        Args:
            metainfo: As a built data set has it (`keypoint_id2name`, `skeleton_links`), or as a config states it
                (`keypoint_info`, `skeleton_info`, or `from_file`).

        Raises:
            DataError: it describes no keypoints, or something else goes wrong in it.
        """
        try:
            parsed = metainfo if "keypoint_id2name" in metainfo else _parsed(metainfo)
            names = tuple(str(parsed["keypoint_id2name"][index]) for index in range(len(parsed["keypoint_id2name"])))
            limbs = tuple((int(first), int(second)) for first, second in parsed.get("skeleton_links", ()))
            colours = tuple(map(_colour, parsed.get("keypoint_colors", ())))
            limb_colours = tuple(map(_colour, parsed.get("skeleton_link_colors", ())))
        except (AssertionError, AttributeError, KeyError, OSError, TypeError, ValueError) as error:
            raise DataError(
                "metainfo of the data set",
                found=f"{type(error).__name__} {error}".strip(),
                expected="keypoint_info, skeleton_info, joint_weights and sigmas, or from_file",
            ) from error
        plain = cls.by_side(names, limbs)
        return cls(names, limbs, colours or plain.colours, limb_colours or plain.limb_colours)

    def legend(self) -> list[tuple[str, Colour]]:
        """Names and colours of the sides, those with a colour that no other side has; empty where the colours tell
        something else.
        """
        found: dict[Colour, set[str]] = {}
        for name, colour in zip(self.names, self.colours, strict=True):
            found.setdefault(colour, set()).add(side_of(name))
        own = {side: [colour for colour, sides in found.items() if sides == {side}] for side in _WORDS}
        told = [(_WORDS[side], colours[0]) for side, colours in own.items() if len(colours) == 1]
        return told if len(told) > 1 else []


def side_of(name: str) -> str:
    """`left`, `right` or `centre`: the side of the body on which a keypoint of this name lies."""
    low = name.lower()
    for side in ("left", "right"):
        if side in low or low.startswith((f"{side[0]}_", f"{side[0]}-")):
            return side
    return "centre"


def _side_of_both(first: str, second: str) -> str:
    sides = {first, second} - {"centre"}
    return sides.pop() if len(sides) == 1 else "centre"


def _colour(value: Sequence[float]) -> Colour:
    red, green, blue = (int(part) for part in value)
    return red, green, blue


def _parsed(metainfo: Mapping[str, Any]) -> Mapping[str, Any]:
    from mmpose.datasets.datasets.utils import parse_pose_metainfo

    return parse_pose_metainfo(dict(metainfo))


#: The 17 keypoints of COCO.
COCO = Skeleton.by_side(NAMES, LIMBS)
