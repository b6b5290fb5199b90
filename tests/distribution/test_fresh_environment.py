"""The steps of `fresh_environment.py`, from the wheel and from the source distribution."""

from __future__ import annotations

import pytest
from fresh_environment import KINDS, STEPS, FreshEnvironment

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=KINDS)
def fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> FreshEnvironment:
    """An environment for one kind of distribution; one step builds on what another left there."""
    return FreshEnvironment.create(request.param, tmp_path_factory.mktemp(request.param))


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_from_an_empty_folder(fresh, step):
    step(fresh)
