"""How many examples a property is tried with: few and always the same ones, or many that are new each time.

pytest tests/properties                                  # as `make test`
pytest tests/properties --hypothesis-profile=thorough --hypothesis-show-statistics
HYPOTHESIS_PROFILE=thorough make test                    # the same number in the whole suite
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

THOROUGH = "thorough"


def register_profiles() -> None:
    """Makes `thorough` known to `--hypothesis-profile`, and takes the one that HYPOTHESIS_PROFILE names."""
    settings.register_profile(THOROUGH, parent=settings.get_profile("default"))
    if os.environ.get("HYPOTHESIS_PROFILE"):
        settings.load_profile(os.environ["HYPOTHESIS_PROFILE"])


def tries(quick: int, thorough: int) -> settings:
    """The settings of a property.

    Args:
        quick: Examples in a run of the suite, the same in each.
        thorough: Examples in a thorough run.
    """
    is_thorough = settings.get_current_profile_name() == THOROUGH
    return settings(
        max_examples=thorough if is_thorough else quick,
        derandomize=not is_thorough,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    )
