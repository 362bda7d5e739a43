"""Learning-rate schedules, one file each; the file's name is the value of `scheduler.name`.

A file defines `Params` (the section `scheduler.<name>`) and `factor(params, step, steps) -> float`, the
multiple of `train.lr` at a step counted from 0.
"""
