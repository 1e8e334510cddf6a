"""Builds the sandbox image: ``python -m cluster.sandbox_image``."""
