def act(observation):
    """Return 0 to push the cart to the left, 1 to push it to the right."""
    position, speed, angle, angular_speed = observation
    return int(0.05 * position + 0.3 * speed + 3.0 * angle + angular_speed > 0)
