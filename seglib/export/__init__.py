"""The trained model in other formats: made, compared with what it was made of, and timed."""
