"""What a fitted model answers: from the user's container to questions of `infer`, and back into the container."""
