def value_iteration(transitions, gamma, tolerance):
    """Return the optimal values and the greedy policy, two lists with an entry for each state."""
    states = range(len(transitions))
    values = [0.0 for _ in states]

    def action_values(state):
        return [
            sum(chance * (reward + (0 if done else gamma * values[after])) for chance, after, reward, done in outcomes)
            for outcomes in (transitions[state][action] for action in range(len(transitions[state])))
        ]

    change = tolerance
    while change >= tolerance:
        change = 0.0
        for state in states:
            best = max(action_values(state))
            change = max(change, abs(best - values[state]))
            values[state] = best
    policy = []
    for state in states:
        found = action_values(state)
        policy.append(found.index(max(found)))
    return values, policy
