"""The library behind the stages: everything that is not the order in which things happen."""
