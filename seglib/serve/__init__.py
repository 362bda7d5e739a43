"""A small web page and a JSON endpoint in front of a model: `seg serve`."""
