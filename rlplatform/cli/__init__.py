"""The ``rlp`` command: one family a file; only ``render`` prints."""
