def steps_to_goal(cell):
    """Return the steps from a cell to the goal, on a lake without holes."""
    row, column = divmod(int(cell), 8)
    return (7 - row) + (7 - column)


def reward(observation, action, next_observation, reward, terminated, truncated):
    """Return how much nearer the goal is, less a little for each step. A hole costs what the goal is worth."""
    if terminated and not reward:
        return -1.0
    nearer = steps_to_goal(observation) - steps_to_goal(next_observation)
    return reward + nearer / 14 - 0.02
