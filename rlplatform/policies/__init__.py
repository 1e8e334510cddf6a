"""Published policies: checkpoints' policies, copied, described, and served to act."""
