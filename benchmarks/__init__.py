"""What is timed, against whom: run as `python -m benchmarks.<name>`."""
