"""Algorithm 1: the learner, its labeled set, its file, and what a round reports."""
