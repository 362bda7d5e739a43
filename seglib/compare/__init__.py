"""Two revisions compared: what differs, whether it matters, and which cases show it."""
