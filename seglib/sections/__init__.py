"""The typed sections of `params.yaml`, one file each, so that a stage depends on its own only."""
