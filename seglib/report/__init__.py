"""The report: what the files of the pipeline say, as one HTML page that needs nothing else."""
