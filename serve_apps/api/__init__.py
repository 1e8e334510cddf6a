"""The HTTP interface. Knows the domain alone, never Ray."""
