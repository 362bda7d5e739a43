"""Formats of a deployed model, one file each; the file's name is the name of its plain variant.

A file defines `SUFFIX`, `write(path, segmenter, card)` and `read(path, threads) -> (logits, card)`. The file that
it writes holds the whole `Segmenter` for any batch and size, and the card; equal models give equal bytes, unless it
says otherwise. `write` raises SegError for a network that the format cannot express. `read` gives a function from
raw values [batch, channels, *space] of any type to float32 logits on the same device; it raises SegError for what
is no such file, lacks a card, or has one of another version. With 0 threads the library decides on their number.
The libraries are imported where they are needed.
"""
