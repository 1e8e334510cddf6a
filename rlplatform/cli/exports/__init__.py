"""Followers of the event log that copy trainings into other tools: TensorBoard, MLflow, Weights & Biases.

A follower can be killed at any moment. Its cursor is stored beside the output, after the output itself; what the output
has beyond the cursor is removed, or recognized, when the follower is started again. So nothing is missing or doubled.
"""
