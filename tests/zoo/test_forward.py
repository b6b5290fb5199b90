"""What the comparison of two models sees, and what it refuses to take for a comparison."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement, InstanceData

from hrnet_plugin.zoo.forward import largest_difference, loss_of, predict

MANY = np.linspace(0.0, 1.0, 50)


class Model(BaseModel):
    """Predicts and loses what it is told."""

    def __init__(self, sample=None, loss=None, maps=None):
        super().__init__()
        self.sample, self.value, self.maps = sample, loss, maps

    def forward(self, inputs, data_samples=None, mode="tensor"):
        if mode == "tensor":
            return self.maps
        return {"loss": torch.tensor(self.value)} if mode == "loss" else [self.sample]


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (MANY, MANY, 0.0),
        (MANY + 0.25, MANY, 0.25),
        (MANY[:49], MANY, math.inf),
        (np.append(MANY, np.nan), np.append(MANY, np.nan), 0.0),
        (np.append(MANY, np.nan), np.append(MANY, 0.0), math.inf),
        (np.append(MANY, np.inf), np.append(MANY, -np.inf), math.inf),
    ],
    ids=["equal", "shifted", "shorter", "both not a number", "one not a number", "opposite infinities"],
)
def test_the_largest_difference(ours, theirs, expected):
    assert largest_difference([ours], [theirs]) == pytest.approx(expected)


@pytest.mark.parametrize("empty", [[], [np.zeros(100)], [np.full(100, np.nan)]], ids=["none", "constant", "nan"])
def test_an_output_that_would_equal_anything_is_refused(empty):
    with pytest.raises(RuntimeError, match="fewer than 10 different numbers shows nothing"):
        largest_difference(empty, empty)


def test_what_was_given_is_no_prediction():
    sample = BaseDataElement()
    sample.gt_instances = InstanceData(bboxes=np.arange(100.0).reshape(25, 4))
    sample.pred_instances = InstanceData(bboxes=np.zeros((0, 4)))
    maps = torch.rand(2, 3, 4)
    numbers = predict(Model(sample, maps=maps), {"inputs": []})
    assert [array.shape for array in numbers] == [(0, 4), (2, 3, 4)]
    assert np.array_equal(numbers[1], maps.double().numpy())


def test_what_was_found_is_enough():
    sample = BaseDataElement()
    sample.pred_instances = InstanceData(bboxes=np.arange(100.0).reshape(25, 4))
    assert [array.shape for array in predict(Model(sample), {"inputs": []})] == [(25, 4)]


def test_an_output_of_an_unknown_kind_is_not_passed_over():
    sample = BaseDataElement()
    sample.set_field(object(), "pred_thing")
    with pytest.raises(TypeError, match="an output of type object cannot be compared"):
        predict(Model(sample), {"inputs": []})


@pytest.mark.parametrize("loss", [0.0, math.nan, math.inf])
def test_a_loss_that_says_nothing_is_refused(loss):
    with pytest.raises(RuntimeError, match="shows nothing"):
        loss_of(Model(loss=loss), {"inputs": []})


def test_a_loss_is_read():
    assert [float(number) for number in loss_of(Model(loss=1.5), {"inputs": []})] == [1.5]
