"""What vectors are measured by: sets of questions, results, their uncertainty, and the policy of a model."""
