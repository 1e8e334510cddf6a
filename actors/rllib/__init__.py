"""PPO on RLlib: the only package that imports ``ray.rllib``.

``engine.RllibEngine`` is the ``TrainingEngine``. It trains on the fast path (``algorithm.VectorPPO`` and what belongs
to it: subclasses of RLlib's PPO, EnvRunner and Learner over the numerics of ``rlplatform.algorithms.ppo``), and on
RLlib's own PPO (``stock``) what the fast path does not cover.
"""
