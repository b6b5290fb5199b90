"""The grouping loss, against its formula written out and against mmpose's own."""

from __future__ import annotations

import math

import pytest
import torch
from mmpose.models.losses import AssociativeEmbeddingLoss as Theirs
from mmpose.registry import MODELS

from hrnet_plugin.models.ae_loss import AssociativeEmbeddingLoss

SIZE = (6, 8)


def draw(num_images: int, num_persons: int, num_keypoints: int = 5, tag_dim: int = 1, seed: int = 0):
    """Tags, and indices of which a third do not count; those point anywhere, as beyond the image."""
    random = torch.Generator().manual_seed(seed)
    tags = torch.randn(num_images, tag_dim * num_keypoints, *SIZE, generator=random)
    positions = torch.randint(SIZE[0] * SIZE[1], (num_images, num_persons, num_keypoints), generator=random)
    counted = torch.rand(positions.shape, generator=random) > 0.3
    positions = torch.where(counted, positions, 10**6 * torch.ones_like(positions))
    return tags.requires_grad_(), list(torch.stack((positions, counted.long()), dim=-1))


def written_out(tags: torch.Tensor, indices: torch.Tensor) -> tuple[float, float]:
    """Pull and push of one image with one value a tag, in plain Python, before weights."""
    people = []
    for row in indices.tolist():
        values = [tags[kind].flatten()[at].item() for kind, (at, counted) in enumerate(row) if counted]
        if values:
            people.append(values)
    means = [sum(values) / len(values) for values in people]
    spreads = [
        sum((value - mean) ** 2 for value in values) / len(values) for values, mean in zip(people, means, strict=True)
    ]
    pull = sum(spreads) / len(people)
    pairs = [(one, other) for one in means for other in means if one is not other]
    push = sum(math.exp(-((one - other) ** 2)) for one, other in pairs) / len(pairs)
    return pull, push


def test_mmpose_finds_it_by_its_scope():
    loss = MODELS.build({"type": "hrnet_plugin.AssociativeEmbeddingLoss", "loss_weight": 0.001})
    assert type(loss) is AssociativeEmbeddingLoss


def test_it_is_the_formula_averaged_over_the_images():
    tags, indices = draw(3, 4)
    pull, push = AssociativeEmbeddingLoss(loss_weight=2.0, push_loss_factor=0.25)(tags, indices)
    wanted = [written_out(*image) for image in zip(tags, indices, strict=True)]
    assert pull.item() == pytest.approx(2.0 * sum(one for one, _ in wanted) / 3, rel=1e-5)
    assert push.item() == pytest.approx(2.0 * 0.25 * sum(other for _, other in wanted) / 3, rel=1e-5)


@pytest.mark.parametrize("tag_dim", [1, 2])
@pytest.mark.parametrize("num_images", [1, 3])
def test_it_is_mmposes_but_for_the_mean_and_a_constant(num_images, tag_dim):
    num_persons = 4
    tags, indices = draw(num_images, num_persons, tag_dim=tag_dim, seed=1)
    assert all(one[..., 1].any(dim=1).all() for one in indices)
    clamped = [torch.stack((one[..., 0] * one[..., 1], one[..., 1]), dim=-1) for one in indices]
    ours = AssociativeEmbeddingLoss()(tags, indices)
    theirs = Theirs()(tags, clamped)
    # mmpose counts each person's pair with itself: exp(0) a value of the tag.
    constant = num_images * 0.5 * num_persons * tag_dim / (num_persons * (num_persons - 1))
    assert num_images * ours[0].item() == pytest.approx(theirs[0].item(), rel=1e-5)
    assert num_images * ours[1].item() == pytest.approx(theirs[1].item() - constant, rel=1e-4)
    (our_slope,) = torch.autograd.grad(sum(ours), tags)
    (their_slope,) = torch.autograd.grad(sum(theirs), tags)
    assert their_slope.abs().max() > 1e-3
    assert (num_images * our_slope - their_slope).abs().max() < 1e-6


def test_a_lone_person_is_pulled_and_not_pushed():
    tags, indices = draw(1, 1, seed=2)
    pull, push = AssociativeEmbeddingLoss()(tags, indices)
    assert pull.item() > 0
    assert push.item() == 0.0


def test_an_image_without_people_costs_nothing_and_can_be_learnt_from():
    tags, indices = draw(2, 3, seed=3)
    nobody = [indices[0], indices[1] * torch.tensor([1, 0])]
    both, one = AssociativeEmbeddingLoss()(tags, nobody), AssociativeEmbeddingLoss()(tags[:1], nobody[:1])
    assert [2 * value.item() for value in both] == pytest.approx([value.item() for value in one], rel=1e-6)
    terms = AssociativeEmbeddingLoss()(tags, [nobody[1], torch.zeros(0, 5, 2, dtype=torch.long)])
    assert [value.item() for value in terms] == [0.0, 0.0]
    (slope,) = torch.autograd.grad(sum(terms), tags)
    assert slope.abs().max().item() == 0.0


def test_tags_of_half_precision_are_compared_in_full():
    tags, indices = draw(1, 4, seed=4)
    half = tags.detach().bfloat16()
    pull, push = AssociativeEmbeddingLoss()(half, indices)
    wanted = AssociativeEmbeddingLoss()(half.float(), indices)
    assert pull.dtype == push.dtype == torch.float32
    assert (pull.item(), push.item()) == (wanted[0].item(), wanted[1].item())
