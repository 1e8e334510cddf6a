"""The numerics of PPO: policy kernels, advantages, normalisers, updates. NumPy, torch and one C file; no Ray, no
RLlib.

Proximal policy optimisation as in Schulman et al. 2017 (arXiv:1707.06347) with the semantics of Stable-Baselines3,
whose names the hyperparameters have. ``README.md`` beside this file is the tour. ``hyperparameters``, ``schedule``
and ``presets`` import neither NumPy nor torch, so that a client can use them.
"""
