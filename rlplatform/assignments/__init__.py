"""Assignments: versions, members, submissions, grades, regrades and leaderboards of a course."""
