"""Memorising the training images must not help on the held-out ones."""

from __future__ import annotations

import cv2
import numpy as np

from hrnet_plugin.data.scene import render_scene


def shapes(split: str, count: int) -> np.ndarray:
    """Poses (N, 17, 2) with their own size and place taken out, of people wholly inside the image."""
    found = []
    for index in range(count):
        for person in render_scene(5, split, index).persons:
            if (person.keypoints[:, 2] > 0).all():
                places = person.keypoints[:, :2] - person.keypoints[:, :2].mean(0)
                found.append(places / np.sqrt((places**2).sum(1).mean()))
    return np.stack(found)


def test_poses_of_train_and_val_are_far_apart():
    train, val = shapes("train", 120), shapes("val", 40)
    assert len(val) > 50
    distances = np.sqrt(((val[:, None] - train[None]) ** 2).sum(3)).mean(2)
    nearest = distances.min(1)
    # In units of a body's root mean square radius: even the best match of all is off by a hand's breadth.
    assert nearest.min() > 0.04
    assert np.median(nearest) > 0.12
    within = np.sqrt(((train[:, None] - train[None]) ** 2).sum(3)).mean(2) + np.eye(len(train)) * 9
    assert abs(np.median(within.min(1)) - np.median(nearest)) < 0.08


def test_no_two_images_are_alike(scenes):
    small = np.stack([cv2.resize(scene.image, (16, 12), interpolation=cv2.INTER_AREA) for scene in scenes]).astype(
        float
    )
    flat = small.reshape(len(small), -1)
    distances = np.abs(flat[:, None] - flat[None]).mean(2) + np.eye(len(flat)) * 999
    assert distances.min() > 6
