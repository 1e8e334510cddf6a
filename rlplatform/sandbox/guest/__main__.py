"""Starts the guest: becomes ``/opt/rlp/__main__.py`` in the image."""

from guest.runner import main  # type: ignore[import-not-found]

main()
