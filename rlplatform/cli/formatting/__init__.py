"""Texts and rows that ``rlp`` writes of documents and events. Nothing here prints."""
