def reward(observation, action, next_observation, reward, terminated, truncated):
    """Return the reward to learn from. The environment's own one leads nowhere."""
    return reward
