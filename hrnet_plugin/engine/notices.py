"""Things the user should not miss, said in the log at the start and again at the end."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.hooks import Hook
from mmengine.runner import Runner

from hrnet_plugin.models.pretrained import missing_weights
from hrnet_plugin.registry import HOOKS


@HOOKS.register_module()
class NoticeHook(Hook):
    """Logs notices as warnings when a run starts and when it ends.

    Args:
        notices: A line each. None takes the pretrained weights that were asked for in this process and not found
            (`models.pretrained.missing_weights`): for configs run by a framework's own tools.
        at_end: Whether to log them at the end too; our own tools print them in their summary instead.
    """

    priority = "VERY_LOW"

    def __init__(self, notices: Sequence[str] | None = None, *, at_end: bool = True):
        self.notices = None if notices is None else list(notices)
        self.at_end = at_end

    def before_train(self, runner: Runner) -> None:
        """Log the notices; the backbone has looked for its weights by now."""
        self._log(runner)

    def before_test(self, runner: Runner) -> None:
        """Log the notices."""
        self._log(runner)

    def after_run(self, runner: Runner) -> None:
        """Log the notices again, where the end of the log will be read."""
        if self.at_end:
            # Other words than at the start, since mmengine's logger drops a warning it has already given.
            self._log(runner, "to keep in mind: ")

    def _log(self, runner: Runner, prefix: str = "") -> None:
        for notice in map(str, missing_weights()) if self.notices is None else self.notices:
            runner.logger.warning(prefix + notice)
