def value_iteration(transitions, gamma, tolerance):
    """Return the optimal values and the greedy policy, two lists with an entry for each state."""
    values = [0.0] * len(transitions)
    policy = [0] * len(transitions)
    # Your code here.
    return values, policy
