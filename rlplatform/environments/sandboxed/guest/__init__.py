"""Code that runs in a sandbox in front of a user's environment or reward function, as the package `rlp_environment`.

It imports nothing of the platform. What it writes is the user's word, whose code shares the process: the host copies
and checks everything.
"""
