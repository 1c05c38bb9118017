"""tito: the command line with which the course is exported, released, graded and sent back."""
