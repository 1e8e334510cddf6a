def run(rewards, explore, choices):
    """Play a bandit; return the arms that were played, and the final estimates."""
    estimates = [0.0] * len(rewards[0])
    played = []
    # Your code here.
    return [played, estimates]
