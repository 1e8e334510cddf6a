"""Implement PPO's numerics: policy kernels, advantages, normalisers and updates.

The packages need NumPy, torch and one C library; they import neither Ray nor RLlib. The algorithm is proximal policy
optimisation (Schulman et al. 2017, arXiv:1707.06347) with the semantics and hyperparameter names of
Stable-Baselines3. Start with ``README.md`` in this folder. ``hyperparameters``, ``schedule`` and ``presets`` import
neither NumPy nor torch, so that a client can use them.
"""
