"""Learning-rate schedules, one file each; the file's name is the value of `scheduler.name`.

A file defines `Params` (the section `scheduler.<name>`) and `factor(params, step, steps, scores) -> float`,
the multiple of `train.lr` at a step counted from 0, both counted from the end of the warm-up, which is the
same for all. `scores` holds the validation Dice of every finished epoch. It is a pure function, so a
resumed training goes on with the very rates that an undisturbed one has.
"""
