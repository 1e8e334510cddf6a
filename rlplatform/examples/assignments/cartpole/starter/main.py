def act(observation):
    """Return 0 to push the cart to the left, 1 to push it to the right."""
    position, speed, angle, angular_speed = observation
    return 0
