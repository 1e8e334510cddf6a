"""Training sessions.

Glossary, obeyed by every name in here: a *training session* is a sequence of *iterations*; an iteration is one or more
*rollouts* (the *env runners* take *steps* in their environments), each followed by an *update* (the *learner* fits the
*policy* to the rollout).
An *episode* is the steps from a reset to *terminated* or *truncated*; its *return* is the sum of its rewards. A
*checkpoint* is everything needed to go on; only checkpoints that we wrote are ever loaded.
"""
