"""The pipeline's stages: one short script each, run as `python -m seglib.stage <name>`."""
