"""Questions to a fitted model, answered by importance sampling from its guide."""
