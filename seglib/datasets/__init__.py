"""Data sets, one file each; the file's name is the value of `data.name`.

A file defines `Params` (the section `data.<name>`), `PUBLISHED` (a `Published` archive, `Embedded`
files, or None for own data), `spec(params) -> Spec` and `samples(root, params) -> list[Sample]`
in the order of the ids. Importing it loads no deep-learning library.
"""
