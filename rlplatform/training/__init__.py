"""Training sessions.

Glossary, followed by every name in this package: a *training session* is a sequence of *iterations*. An iteration is
one or more *rollouts* (the *env runners* take *steps* in their environments), each followed by an *update* (the
*learner* fits the *policy* to the rollout). An *episode* is the steps from a reset to *terminated* or *truncated*; its
*return* is the sum of its rewards. A *checkpoint* is everything needed to continue; only checkpoints that the platform
wrote are ever loaded.
"""
