"""PPO on RLlib: the only package that imports ``ray.rllib``.

``engine.RllibEngine`` is the ``TrainingEngine``. The fast path is ``algorithm.VectorPPO`` with its env runner and
learner: subclasses of RLlib's PPO, EnvRunner and Learner over the numerics of ``rlplatform.algorithms.ppo``. Requests
that it does not cover train on RLlib's own PPO (``stock``).
"""
