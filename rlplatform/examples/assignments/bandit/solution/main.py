def run(rewards, explore, choices):
    """Play a bandit; return the arms that were played, and the final estimates."""
    arms = len(rewards[0])
    estimates, counts, played = [0.0] * arms, [0] * arms, []
    for reward, exploring, choice in zip(rewards, explore, choices):
        arm = choice if exploring else estimates.index(max(estimates))
        counts[arm] += 1
        estimates[arm] += (reward[arm] - estimates[arm]) / counts[arm]
        played.append(arm)
    return [played, estimates]
