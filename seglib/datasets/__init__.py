"""Data sets, one file each; the file's name is the value of `data.name`.

A file defines

- `Params`, the section `data.<name>` of `params.yaml`;
- `PUBLISHED`: a `Published` or `Kaggle` archive, `Embedded` files, `Generated()`, or None for own data;
- `spec(root, params) -> Spec`, what holds for every sample;
- `samples(root, params) -> list[Sample]`, in the order of the ids, with nothing read but lists and headers.

`root` is the opened archive or folder; both functions raise SegError where it is not laid out as it
should be. Importing the file loads no deep-learning library. `docs/data.md` shows how to write one.
"""
