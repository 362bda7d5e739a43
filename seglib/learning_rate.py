"""The learning rate at every step: a linear warm-up, then the selected schedule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from seglib import plugins, schedulers
from seglib.config import Section, section
from seglib.sections.scheduler import Scheduler


@dataclass(frozen=True)
class LearningRate:
    """A pure function of the step and of the validation Dice so far."""

    schedule: ModuleType
    options: Section
    warmup: int
    """Steps in which the rate rises."""
    steps: int
    """All steps of the training."""

    def factor(self, step: int, scores: Sequence[float]) -> float:
        """The multiple of `train.lr` at a step counted from 0; `scores`: the Dice of every finished epoch."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        return self.schedule.factor(self.options, step - self.warmup, self.steps - self.warmup, scores)


def learning_rate(params: Mapping[str, Any], steps: int) -> LearningRate:
    """Read the schedule of a training of `steps` steps from the parameters."""
    chosen = section(params, "scheduler", Scheduler)
    schedule = plugins.load(schedulers, chosen.name)
    return LearningRate(schedule, plugins.options(schedule, params), round(chosen.warmup * steps), steps)
